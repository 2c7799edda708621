"""The body of Pub/Sub's wrapped push request: read by the functions and the publisher, written by the local bridge."""

from datetime import datetime
from typing import Any

import msgspec

from shared.errors import Undecodable


class PushedMessage(msgspec.Struct, frozen=True, rename="camel"):
    """The message inside a push; ``data`` travels as base64."""

    data: bytes = b""
    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    message_id: str = ""


class Push(msgspec.Struct, frozen=True, rename="camel"):
    """One push. ``delivery_attempt`` counts from 1; only subscriptions with a dead-letter topic send it."""

    message: PushedMessage
    delivery_attempt: int | None = None
    subscription: str = ""


_decoder = msgspec.json.Decoder(Push)


def decode(body: bytes) -> Push:
    """The push in a request's ``body``. Raises ``Undecodable``."""
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError as error:
        message = f"The request is not a Pub/Sub push: {error}"
        raise Undecodable(message) from None


def encode(push: Push, publish_time: datetime) -> bytes:
    """``push`` as Pub/Sub sends it: every name of the message twice, in both spellings."""
    published = publish_time.isoformat().replace("+00:00", "Z")
    message: dict[str, Any] = msgspec.to_builtins(push.message, builtin_types=(bytes,))
    body: dict[str, Any] = {
        "message": {
            **message,
            "message_id": push.message.message_id,
            "publishTime": published,
            "publish_time": published,
        },
        "subscription": push.subscription,
    }
    if push.delivery_attempt is not None:
        body["deliveryAttempt"] = push.delivery_attempt
    return msgspec.json.encode(body)
