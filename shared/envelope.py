"""The wire format of the topic ``notifications``, version 1: a message is one delivery or one command, as JSON.

One message is one delivery, so a function sees the personal data of its own channel type only. Decoding dispatches on
the version in the body, ignores unknown fields (consumers are deployed before producers) and refuses a message without
a required field. ``tests/unit/golden/`` keeps bytes of every version that was ever sent; they must always decode.
"""

from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec

from shared.content import Content
from shared.errors import Undecodable
from shared.lanes import Lane

VERSION = 1

C = TypeVar("C", bound=Content)


class Delivery(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="delivery"):
    """One notification for one address on one channel.

    The first block of fields is the notification as its producer sent it; the second is this delivery's own. Version 1
    calls the channel type ``channel`` and the channel ``slug``. ``recipient`` is the address, of the kind that the
    channel type says (``shared.channel_types``); ``content`` is rendered. Times are aware. ``round`` grows by one with
    each replay; ``deferrals`` counts how often this round was deferred. ``switched_on`` is the version of the channel
    switches since which the channel is on, as far as the publisher knew, and 0 if it was off. ``read_at`` and
    ``archived_at`` are set when the user read or archived the notification before it arrived. ``accepted_at`` is None
    in messages of earlier releases. ``lane`` is the lane in which it was published.
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
    channel_type: str = msgspec.field(name="channel")
    channel: str = msgspec.field(name="slug")
    round: int
    deferrals: int = 0
    recipient: str
    content: dict[str, Any]
    config: dict[str, Any]
    expires_at: datetime
    traceparent: str | None = None
    switched_on: int = 0
    read_at: datetime | None = None
    archived_at: datetime | None = None
    accepted_at: datetime | None = None
    lane: Lane = Lane.NORMAL
    tenant: str | None = None

    @property
    def key(self) -> str:
        """The ledger's key: this delivery in this round. A transport's message id would change on dead-lettering."""
        return f"{self.delivery_id}.{self.round}"

    def content_as(self, model: type[C]) -> C:
        """The content as its channel type's model. Raises ``Undecodable``, without the text, if it does not fit."""
        try:
            return msgspec.convert(self.content, model)
        except msgspec.ValidationError as error:
            message = f"The content of delivery {self.delivery_id} is not {model.__name__}: {error}"
            raise Undecodable(message) from None


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="command"):
    """An instruction for the inapp function, so that the publisher needs no right to write to Firestore.

    ``read``: mark ``notification_ids`` of ``user_id`` as read at ``at``. ``read_all``: mark everything delivered by
    ``at``, and ``notification_ids``, which may not have arrived yet. ``seen``: mark everything delivered by ``at`` as
    seen. ``archive``: mark ``notification_ids`` as archived. ``delete``: delete the entries of ``notification_ids``,
    whose notifications are deleted. ``erase``: delete everything of ``user_id`` that was
    accepted by ``at``, let none of it arrive later, and report that under ``erasure_id`` if there is one. ``channels``:
    store ``channels`` (channel → enabled) as the channel switches, unless a newer ``version`` is stored.
    """

    v: int
    command: Literal["read", "read_all", "seen", "archive", "delete", "erase", "channels"]
    at: datetime
    user_id: str | None = None
    notification_ids: list[str] = msgspec.field(default_factory=list)
    channels: dict[str, bool] = msgspec.field(default_factory=dict)
    version: int = 0
    erasure_id: str | None = None


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
            message = f"Envelope version {version} is unknown. Known versions: {sorted(_decoders)}."
            raise Undecodable(message)
        return decoder.decode(data)
    except msgspec.DecodeError as error:  # a ValidationError names the field and never its value
        message = f"The envelope cannot be decoded: {error}"
        raise Undecodable(message) from None
