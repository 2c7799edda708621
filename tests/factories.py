"""Valid data for tests; a test overrides the fields that it is about."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from shared import envelope, pubsub_push
from shared.attributes import attributes_of
from shared.envelope import Delivery, Message
from shared.outcomes import Outcome
from shared.pubsub_push import Push, PushedMessage
from shared.topology import TOPOLOGY
from transport.port import Received

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

RECIPIENTS = {
    "email": "ada@example.com",
    "sms": "+15005550006",
    "push": "device-token-1",
    "webhook": "https://receiver.example/hook",
    "inapp": "ada",
}
CONTENTS: dict[str, dict[str, Any]] = {
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
        "recipient": RECIPIENTS[channel_type],
        "content": CONTENTS[channel_type],
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


def make_received(message: Message | bytes, attempt: int | None = 1, **given: Any) -> Received:
    """``message`` (or raw bytes) as a handler receives it, with the attributes that the publisher sets."""
    fields: dict[str, Any] = {
        "data": message if isinstance(message, bytes) else envelope.encode(message),
        "attributes": {} if isinstance(message, bytes) else attributes_of(message),
        "attempt": attempt,
        "id": "1",
        "subscription": "projects/p/subscriptions/s",
    }
    return Received(**fields | given)


def make_push(message: Message | bytes, attempt: int | None = 1, attributes: dict[str, str] | None = None) -> bytes:
    """The body of the push request by which Pub/Sub sends ``message`` (or raw bytes)."""
    data = message if isinstance(message, bytes) else envelope.encode(message)
    pushed = PushedMessage(data=data, attributes=attributes or {}, message_id="1")
    return pubsub_push.encode(Push(pushed, attempt, "projects/p/subscriptions/s"), NOON)
