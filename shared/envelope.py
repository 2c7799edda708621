"""The wire format of the topic ``notifications``, version 1: one JSON message, one delivery or one command.

A message is one delivery, so a function sees the personal data of its own channel and of no other. Decoding
dispatches on the version in the body, ignores fields it does not know (consumers are deployed before producers) and
refuses a message that lacks one. ``tests/unit/golden/`` freezes bytes of every version that was ever sent: they must
decode for ever.
"""

from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec

from shared.content import Content
from shared.errors import Undecodable

VERSION = 1

C = TypeVar("C", bound=Content)


class Delivery(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="delivery"):
    """One notification for one address over one channel.

    The first block is the notification as its producer gave it, the second is this delivery's own. ``channel`` is the
    kind (it picks the function), ``slug`` the configured channel of that kind (``webhook-telegram``); for most they
    are equal. ``recipient`` is an e-mail address, an E.164 number, a device token, a URL or a user id, as the kind
    wants. ``content`` is rendered already (``shared.content``). Times are aware; ``round`` grows by one with each
    replay. ``switched_on`` is the version of the switchboard since which the channel is on, as far as the publisher
    knew, and 0 if it was off. ``read_at`` is when the person read it, which one may before a scheduled one arrives.
    """

    v: int
    notification_id: str
    event_type: str
    user_id: str
    channels: list[str]
    payload: dict[str, Any]
    created_at: datetime
    actor_user_id: str | None = None
    template_name: str | None = None
    dedup_key: str | None = None
    priority: int = 100

    delivery_id: str
    channel: str
    slug: str
    round: int
    recipient: str
    content: dict[str, Any]
    config: dict[str, Any]
    expires_at: datetime
    traceparent: str | None = None
    switched_on: int = 0
    read_at: datetime | None = None

    @property
    def key(self) -> str:
        """What must happen at most once: this delivery, in this round (Pub/Sub's own id changes on dead-lettering)."""
        return f"{self.delivery_id}.{self.round}"

    def content_as(self, shape: type[C]) -> C:
        """The content in its channel's shape. Raises ``Undecodable`` (without the text) when it has another."""
        try:
            return msgspec.convert(self.content, shape)
        except msgspec.ValidationError as error:
            message = f"The content of delivery {self.delivery_id} is no {shape.__name__}: {error}"
            raise Undecodable(message) from None


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="command"):
    """Something for the inapp function to do to Firestore, so that the publisher needs one right on Google Cloud.

    ``read``: mark ``notification_ids`` of ``user_id`` read at ``at``. ``read_all``: mark everything created up to
    ``at``, and ``notification_ids``, which may not be there yet. ``channels``: store ``channels`` (slug → enabled) as
    the switchboard, unless a newer ``version`` is there already.
    """

    v: int
    command: Literal["read", "read_all", "channels"]
    at: datetime
    user_id: str | None = None
    notification_ids: list[str] = msgspec.field(default_factory=list)
    channels: dict[str, bool] = msgspec.field(default_factory=dict)
    version: int = 0


class _Version(msgspec.Struct):
    v: int


Message = Delivery | Command
_encoder = msgspec.json.Encoder()
_version = msgspec.json.Decoder(_Version)
_decoders: dict[int, msgspec.json.Decoder[Message]] = {1: msgspec.json.Decoder(Message)}


def encode(message: Message) -> bytes:
    """The message as UTF-8 JSON."""
    return _encoder.encode(message)


def decode(data: bytes) -> Message:
    """The message in ``data``. Raises ``Undecodable`` for malformed JSON, an unknown version or a missing field."""
    try:
        version = _version.decode(data).v
        decoder = _decoders.get(version)
        if decoder is None:
            message = f"Version {version} of the envelope is not known here; known: {sorted(_decoders)}."
            raise Undecodable(message)
        return decoder.decode(data)
    except msgspec.DecodeError as error:  # includes ValidationError, whose text names the field and never its value
        message = f"The envelope cannot be read: {error}"
        raise Undecodable(message) from None
