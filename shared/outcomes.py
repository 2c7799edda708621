"""Outcomes: the statuses of a delivery, the allowed moves between them, and the message that reports an outcome.

::

    pending ──▶ queued ──▶ sent ──▶ delivered | bounced
       │           ├─────▶ pending(until): deferred
       │           ├─────▶ failed(reason) ─┐
       │           ├─────▶ dead(reason) ───┴─ replay: back to pending, round + 1
       │           ├─────▶ suppressed(reason)
       │           └─────▶ expired
       └─────▶ canceled, suppressed, expired

A status only moves forward, so late, repeated and reordered outcomes change nothing. An outcome may arrive before the
relay has marked the row ``queued``, so whatever may follow ``queued`` may also follow ``pending``. Postgres holds the
same table (``delivery_moves``) and refuses every other move; a test compares the two.

A deferral goes back to ``pending``: the delivery returns to the outbox. ``deferrals`` counts them, so that a late or
repeated deferral, too, changes nothing.
"""

from datetime import datetime
from typing import Literal, get_args

import msgspec

from shared.errors import Undecodable

Status = Literal[
    "pending", "queued", "sent", "delivered", "bounced", "failed", "suppressed", "expired", "canceled", "dead"
]
STATUSES: tuple[Status, ...] = get_args(Status)

_REPORTED: tuple[Status, ...] = ("sent", "delivered", "bounced", "failed", "suppressed", "expired", "dead")
_OTHER_MOVES: tuple[tuple[Status, Status], ...] = (
    ("pending", "queued"),
    ("pending", "canceled"),
    ("queued", "pending"),
    ("sent", "delivered"),
    ("sent", "bounced"),
    ("failed", "pending"),
    ("dead", "pending"),
    # Dead-lettering is best effort: Pub/Sub may move a message whose last attempt did succeed.
    ("dead", "sent"),
    ("dead", "delivered"),
    ("dead", "bounced"),
    # The publisher closes a delivery whose outcome is missing for a day as expired. The outcome may arrive still later.
    ("expired", "sent"),
    ("expired", "delivered"),
    ("expired", "bounced"),
)
_OPEN: tuple[Status, ...] = ("pending", "queued")
MOVES: frozenset[tuple[Status, Status]] = frozenset(_OTHER_MOVES) | {(old, new) for old in _OPEN for new in _REPORTED}
OPEN: frozenset[Status] = frozenset(_OPEN)

Result = Literal["sent", "delivered", "bounced", "failed", "suppressed", "expired", "dead", "attempt", "deferred"]


Report = Result | Literal["erased"]
"""The result of an outcome: that of an attempt at a delivery, or ``erased``."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of one attempt at a delivery, as it travels on the topic ``delivery-outcomes``.

    ``result`` is the status to move to, or ``attempt``: the attempt failed, the transport repeats it, and the status
    stays; or ``deferred``: the attempt failed, and the publisher publishes the delivery again at ``until``.
    ``deferrals`` is how often it was deferred before this attempt.
    ``reason`` is a value of ``shared.reasons`` (text, so that an older publisher stores a newer reason); ``detail`` is
    the provider's text without personal data. ``received_at`` is when the function got the message, ``at`` when the
    provider had responded. ``possible_duplicate``: an earlier attempt may have reached the user.

    The result ``erased`` answers the command ``erase``: the live inbox is erased of what was accepted by ``until``, and
    ``delivery_id`` is the id of the erasure.
    """

    v: int = 1
    notification_id: str
    delivery_id: str
    round: int
    result: Report
    at: datetime
    received_at: datetime | None = None
    attempt: int | None = None
    deferrals: int = 0
    until: datetime | None = None
    reason: str | None = None
    detail: str | None = None
    provider: str | None = None
    provider_message_id: str | None = None
    possible_duplicate: bool = False


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Outcome)


def encode(outcome: Outcome) -> bytes:
    """The outcome as UTF-8 JSON."""
    return _encoder.encode(outcome)


def decode(data: bytes) -> Outcome:
    """The outcome in ``data``. Raises ``Undecodable``."""
    try:
        outcome = _decoder.decode(data)
    except msgspec.DecodeError as error:
        message = f"The outcome cannot be decoded: {error}"
        raise Undecodable(message) from None
    if outcome.v != 1:
        message = f"Outcome version {outcome.v} is unknown. Known versions: [1]."
        raise Undecodable(message)
    return outcome


def may_move(before: Status, after: Status) -> bool:
    """Whether a delivery in status ``before`` may become ``after``."""
    return (before, after) in MOVES


NotificationStatus = Literal["queued", "delivered", "failed", "canceled"]


def notification_status(deliveries: list[Status]) -> NotificationStatus:
    """A notification's status, derived from its deliveries and never stored.

    ``queued`` while any delivery is open; then ``delivered`` if any was sent; ``canceled`` if all were canceled; else
    ``failed``.
    """
    if any(status in OPEN for status in deliveries):
        return "queued"
    if any(status in ("sent", "delivered") for status in deliveries):
        return "delivered"
    if deliveries and all(status == "canceled" for status in deliveries):
        return "canceled"
    return "failed"
