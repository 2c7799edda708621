"""Messages as they travel through RabbitMQ. Pure: no connection.

The body is the message's own. A header holds its attributes, another one the attempts before its last ``again``.
RabbitMQ counts the attempts since then itself, in ``x-delivery-count``.
"""

from collections.abc import Mapping
from typing import Any

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractMessage

from shared.topology import Subscription
from transport.port import Encoded, Received
from transport.rabbitmq_topology import DELIVERY_LIMIT

_ATTRIBUTES = "attributes"
_ATTEMPTS = "attempts"
_DEAD_AFTER = "dead-after"
_DELIVERY_COUNT = "x-delivery-count"
_DEATHS = "x-death"


def first(encoded: Encoded, message_id: str) -> Message:
    """A message that is published for the first time."""
    return _message(encoded.data, message_id, {_ATTRIBUTES: dict(encoded.attributes)})


def again(message: AbstractMessage) -> Message:
    """A copy of ``message`` for its next attempt."""
    headers = {_ATTRIBUTES: _attributes(message.headers), _ATTEMPTS: attempt(message)}
    return _message(message.body, message.message_id, headers)


def dead(message: AbstractMessage, attempts: int) -> Message:
    """A copy of ``message`` for the dead letters, after ``attempts`` attempts."""
    headers = {_ATTRIBUTES: _attributes(message.headers), _DEAD_AFTER: attempts}
    return _message(message.body, message.message_id, headers)


def attempt(message: AbstractMessage) -> int:
    """Which attempt this delivery of ``message`` is, counted from 1."""
    return _number(message.headers, _ATTEMPTS) + _number(message.headers, _DELIVERY_COUNT) + 1


def received(message: AbstractMessage, subscription: Subscription) -> Received:
    """The message as a consumer of ``subscription`` gets it."""
    return Received(
        data=message.body,
        attributes=_attributes(message.headers),
        attempt=attempt(message),
        id=message.message_id or "",
        subscription=subscription.name,
        dead_after=_dead_after(message.headers),
    )


def _message(body: bytes, message_id: str | None, headers: dict[str, Any]) -> Message:
    return Message(body, headers=headers, message_id=message_id, delivery_mode=DeliveryMode.PERSISTENT)


def _attributes(headers: Mapping[str, Any]) -> dict[str, str]:
    """The attributes; none where another program published the message without them."""
    attributes = headers.get(_ATTRIBUTES)
    if not isinstance(attributes, dict):
        return {}
    return {str(name): value for name, value in attributes.items() if isinstance(value, str)}


def _dead_after(headers: Mapping[str, Any]) -> int | None:
    """The attempts before a dead letter died: counted by us, or used up at RabbitMQ's own limit."""
    if _DEAD_AFTER in headers:
        return _number(headers, _DEAD_AFTER)
    deaths = headers.get(_DEATHS)
    latest = deaths[0] if isinstance(deaths, list) and deaths else None
    if isinstance(latest, dict) and latest.get("reason") == "delivery_limit":
        return _number(headers, _ATTEMPTS) + DELIVERY_LIMIT + 1
    return None


def _number(headers: Mapping[str, Any], name: str) -> int:
    value = headers.get(name)
    return value if isinstance(value, int) else 0
