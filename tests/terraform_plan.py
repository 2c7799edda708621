"""Reads a plan of Terraform: resource address → the planned values that are known."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import hcl2

from shared.topology import ChannelTopology, Subscription

ROOT = Path(__file__).parents[1]


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


def moves() -> Iterator[tuple[str, str]]:
    """How the old and the new address in the plan end, for each ``moved`` block."""
    for file in (ROOT / "terraform").rglob("*.tf"):
        for move in hcl2.loads(file.read_text(encoding="utf-8")).get("moved", []):
            yield _address(file, move["from"]), _address(file, move["to"])


def _address(file: Path, reference: str) -> str:
    """How the address ends, of a reference in a file of the root or of a module that is used under its own name."""
    address = reference.removeprefix("${").removesuffix("}")
    return address if file.parent.name == "terraform" else f"module.{file.parent.name}.{address}"
