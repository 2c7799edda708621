"""Plans a request without a database or a clock."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from publisher_api.channels.model import Channel
from publisher_api.configuration import Configuration, Template, TemplateKey, TemplateVersions
from publisher_api.event_types.model import EventType
from publisher_api.notifications.request import NotificationRequest
from publisher_api.planning.plan import Plan, plan
from publisher_api.refusal import Refusal
from publisher_api.users.model import User
from shared.topology import CHANNEL_TYPES

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ADA = User(user_id="ada", email="ada@example.com", phone="+447700900123", devices=["phone", "tablet"])
WEBHOOK = "https://receiver.example/"


def configuration(*event_types: EventType, off: tuple[str, ...] = (), **templates: dict[str, Any]) -> Configuration:
    """A channel for each channel type, and ``webhook-chat``; those in ``off`` are switched off."""
    channels = {name: Channel(slug=name, channel_type=name, enabled=name not in off) for name in CHANNEL_TYPES}
    channels["webhook-chat"] = Channel(
        slug="webhook-chat", channel_type="webhook", config={"url": "https://chat.example.com"}
    )
    published: dict[TemplateKey, TemplateVersions] = {
        (None, name): TemplateVersions(1, {1: Template(1, content)}) for name, content in templates.items()
    }
    return Configuration(channels, published, {}, {each.event_type: each for each in event_types})


def request(**fields: Any) -> NotificationRequest:
    """The smallest request, with ``fields`` over it. None leaves a field out."""
    smallest = {"user_id": "ada", "event_type": "payment", "channels": ["inapp"], "payload": {}}
    return NotificationRequest.model_validate(
        {n: value for n, value in (smallest | fields).items() if value is not None}
    )


def planned(user: User = ADA, known: Configuration | None = None, **fields: Any) -> Plan:
    ids = itertools.count()
    return plan(request(**fields), "tests", user, known or configuration(), now=NOW, new_id=lambda: f"id-{next(ids)}")


def refused(known: Configuration | None = None, **fields: Any) -> Refusal:
    """The refusal of a request that must not be planned."""
    with pytest.raises(Refusal) as caught:
        planned(known=known, **fields)
    return caught.value
