"""Reads a plan of Terraform: resource address → the planned values that are known."""

from collections.abc import Iterable
from typing import Any

from shared.topology import ChannelTopology, Subscription


def of_type(plan: dict[str, Any], resource_type: str) -> Iterable[tuple[str, dict[str, Any]]]:
    """The planned resources of a type, with their addresses."""
    return ((address, value) for address, value in plan.items() if f"{resource_type}." in address)


def module_of(channel: ChannelTopology) -> str:
    return f'module.channel["{channel.channel_type}"]'


def planned_settings(value: dict[str, Any]) -> dict[str, Any]:
    """What a planned subscription has of the settings that ``shared/topology.py`` declares."""
    retries, dead_letters, pushes = value["retry_policy"], value["dead_letter_policy"], value["push_config"]
    return {
        "filter": value["filter"] or "",
        "deadline": value["ack_deadline_seconds"],
        "backoff": [(each["minimum_backoff"], each["maximum_backoff"]) for each in retries],
        "attempts": [each["max_delivery_attempts"] for each in dead_letters],
        "tokens": [len(each["oidc_token"]) for each in pushes],
    }


def declared_settings(declared: Subscription) -> dict[str, Any]:
    """The same settings as ``planned_settings`` should find them."""
    backoff, dead_letters = declared.backoff_seconds, declared.dead_letters
    return {
        "filter": declared.filter,
        "deadline": declared.ack_deadline_seconds,
        "backoff": [(f"{backoff[0]:g}s", f"{backoff[1]:g}s")] if backoff else [],
        "attempts": [dead_letters.attempts] if dead_letters else [],
        "tokens": [1] if declared.target else [],
    }
