"""What the code knows of each channel type: one entry per type.

``shared/channels.json`` declares how a type's messages travel (attempts, backoff, secrets); this registry says what
they are: the content model, the kind of address, and the content of a notification that names no template.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from shared.addresses import AddressKind, redact
from shared.content import (
    SMS_CHARACTERS,
    Content,
    EmailContent,
    InappContent,
    PushContent,
    SmsContent,
    WebhookContent,
)
from shared.errors import UnknownChannelType
from shared.sms_text import cut

_PUSH_CHARACTERS = 500  # phones show less; at four bytes per character this is half of what FCM accepts


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What a notification is about: the input of default content. ``created_at`` is aware."""

    notification_id: str
    event_type: str
    user_id: str
    actor_user_id: str | None
    payload: dict[str, Any]
    created_at: datetime

    @property
    def title(self) -> str:
        """``order_shipped`` as a title: "Order shipped"."""
        return _title(self.event_type)

    @property
    def lines(self) -> list[str]:
        """The payload as lines: ``{"amount": 10}`` is "amount: 10"."""
        return [f"{name}: {value}" for name, value in self.payload.items()]


@lru_cache(maxsize=1024)  # producers have few event types, and each notification needs the title of one
def _title(event_type: str) -> str:
    words = event_type
    for separator in "_.-:":
        words = words.replace(separator, " ")
    return " ".join(words.split()).capitalize() or event_type


class ChannelType(msgspec.Struct, frozen=True, kw_only=True):
    """One channel type. ``default_content`` builds the content of a notification without a template.

    ``disturbs``: a user notices at once. What does not disturb is sent in quiet hours, too. ``derived_texts`` names the
    fields that are derived where they are absent, each with the HTML field that it is derived from.
    """

    content: type[Content]
    address: AddressKind
    default_content: Callable[[Event], dict[str, Any]]
    disturbs: bool = True
    derived_texts: Mapping[str, str] = msgspec.field(default_factory=dict)

    def redact(self, address: str) -> str:
        return redact(self.address, address)


def _email(event: Event) -> dict[str, Any]:
    return {"subject": event.title, "text": "\n".join(event.lines) or event.title}


def _inapp(event: Event) -> dict[str, Any]:
    return {"title": event.title, "body": "\n".join(event.lines)}


def _push(event: Event) -> dict[str, Any]:
    return {"title": event.title, "body": "\n".join(event.lines)[:_PUSH_CHARACTERS]}


def _sms(event: Event) -> dict[str, Any]:
    text = f"{event.title}. {', '.join(event.lines)}" if event.lines else event.title
    return {"text": cut(text, SMS_CHARACTERS)}


def _webhook(event: Event) -> dict[str, Any]:
    """The event itself, in the shape that Standard Webhooks recommends: ``type``, ``timestamp``, ``data``."""
    data = {
        "notification_id": event.notification_id,
        "user_id": event.user_id,
        "actor_user_id": event.actor_user_id,
        "payload": event.payload,
    }
    return {"body": {"type": event.event_type, "timestamp": event.created_at.isoformat(), "data": data}}


REGISTRY: Mapping[str, ChannelType] = {
    "email": ChannelType(
        content=EmailContent, address=AddressKind.EMAIL, default_content=_email, derived_texts={"text": "html"}
    ),
    "inapp": ChannelType(content=InappContent, address=AddressKind.USER_ID, default_content=_inapp, disturbs=False),
    "push": ChannelType(content=PushContent, address=AddressKind.DEVICE_TOKEN, default_content=_push),
    "sms": ChannelType(content=SmsContent, address=AddressKind.PHONE, default_content=_sms),
    "webhook": ChannelType(content=WebhookContent, address=AddressKind.URL, default_content=_webhook),
}


def channel_type_named(name: str) -> ChannelType:
    """The entry of the type ``name``. Raises ``UnknownChannelType``."""
    try:
        return REGISTRY[name]
    except KeyError:
        message = f"Unknown channel type {name!r}. Known types: {', '.join(REGISTRY)}."
        raise UnknownChannelType(message) from None
