"""Data for tests: something valid, with what the test speaks of put in."""

import base64
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shared import envelope
from shared.envelope import Delivery, Message
from shared.outcomes import Outcome
from shared.topology import TOPOLOGY

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

_RECIPIENTS = {
    "email": "ada@example.com",
    "sms": "+15005550006",
    "push": "device-token-1",
    "webhook": "https://receiver.example/hook",
    "inapp": "ada",
}
_CONTENTS: dict[str, dict[str, Any]] = {
    "email": {"subject": "Paid", "text": "You paid 10.", "html": "<p>You paid <b>10</b>.</p>"},
    "sms": {"text": "You paid 10."},
    "push": {"title": "Paid", "body": "You paid 10.", "data": {"screen": "payments"}},
    "webhook": {"body": {"amount": 10}},
    "inapp": {"title": "Paid", "body": "You paid 10.", "url": "/payments/1", "data": {"amount": 10}},
}


def make_delivery(channel_type: str = "email", **given: Any) -> Delivery:
    """A delivery on the channel named like its type, created at noon, with the type's time to live."""
    fields: dict[str, Any] = {
        "v": 1,
        "notification_id": str(uuid.uuid4()),
        "event_type": "payment",
        "user_id": "ada",
        "channels": [channel_type],
        "payload": {"amount": 10},
        "created_at": NOON,
        "delivery_id": str(uuid.uuid4()),
        "channel_type": channel_type,
        "channel": channel_type,
        "round": 1,
        "recipient": _RECIPIENTS[channel_type],
        "content": _CONTENTS[channel_type],
        "config": {},
        "expires_at": NOON + timedelta(seconds=TOPOLOGY[channel_type].time_to_live_seconds),
    }
    return Delivery(**fields | given)


def make_outcome(**given: Any) -> Outcome:
    fields: dict[str, Any] = {
        "notification_id": str(uuid.uuid4()),
        "delivery_id": str(uuid.uuid4()),
        "round": 1,
        "result": "sent",
        "at": NOON,
        "provider": "sendgrid",
        "provider_message_id": "m1",
    }
    return Outcome(**fields | given)


def make_push(message: Message | bytes, attempt: int | None = 1, attributes: dict[str, str] | None = None) -> bytes:
    """The body of Pub/Sub's push request that carries ``message`` (or raw bytes in its place)."""
    data = message if isinstance(message, bytes) else envelope.encode(message)
    body: dict[str, Any] = {
        "message": {
            "data": base64.b64encode(data).decode(),
            "attributes": attributes or {},
            "messageId": "1",
            "publishTime": NOON,
        },
        "subscription": "projects/p/subscriptions/s",
    }
    if attempt is not None:
        body["deliveryAttempt"] = attempt
    return msgspec.json.encode(body)
