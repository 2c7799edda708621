"""A message that was given up on becomes an outcome ``dead``: a row that can be looked at, and replayed.

Every message is acknowledged, for nothing waits behind this function: what cannot be told to belong to a delivery is
logged as an error and is gone.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

import msgspec

from functions.runtime.ledger import Finished, Unfinished, look_up
from functions.runtime.outcomes import OutcomePublisher
from functions.runtime.push import Handler, Push, PushedMessage
from functions.runtime.wiring import Connections, now
from shared import envelope
from shared.envelope import Delivery
from shared.errors import Undecodable
from shared.outcomes import Outcome

_log = logging.getLogger(__name__)
_ATTEMPTS = "CloudPubSubDeadLetterSourceDeliveryCount"

LookUp = Callable[[str], Finished | Unfinished]


class _Attributes(msgspec.Struct, frozen=True):
    """The attributes that tell whose a message is when its body cannot be read."""

    notification_id: str
    delivery_id: str
    round: int


def connect(environ: Mapping[str, str]) -> Handler:
    """The function's parts. Raises ``ConfigurationError``."""
    connections = Connections.open(environ)
    return partial(handle, partial(look_up, connections.firestore), connections.outcomes, now)


def handle(look_up: LookUp, outcomes: OutcomePublisher, now: Callable[[], datetime], push: Push) -> None:
    """Report what became of the delivery. Raises ``Retryable`` or ``CredentialsRefused`` if that cannot be reported."""
    outcome = _outcome(push.message, now())
    if outcome is None:
        facts = {"message_id": push.message.message_id, "subscription": push.subscription}
        _log.error("A message that belongs to no delivery was given up on.", extra=facts)
        return
    match look_up(f"{outcome.delivery_id}.{outcome.round}"):
        case Finished(ended):
            # Pub/Sub counts as best it can: the last attempt may have got through, and only its report have failed.
            outcome = ended
        case Unfinished(uncertain):
            # Whoever replays it must know that the person may have it already.
            outcome = msgspec.structs.replace(outcome, possible_duplicate=uncertain)
    outcomes.publish(outcome)
    whose = {"notification_id": outcome.notification_id, "delivery_id": outcome.delivery_id}
    level = logging.ERROR if outcome.result == "dead" else logging.INFO
    _log.log(level, outcome.result, extra={**whose, "reason": outcome.reason})


def _outcome(message: PushedMessage, at: datetime) -> Outcome | None:
    try:
        match envelope.decode(message.data):
            case Delivery() as delivery:
                whose = _Attributes(delivery.notification_id, delivery.delivery_id, delivery.round)
                reason = "attempts_used_up"
            case _:
                return None
    except Undecodable:
        try:
            whose = msgspec.convert(message.attributes, _Attributes, strict=False)
        except msgspec.ValidationError:
            return None
        reason = "undecodable"
    attempts = message.attributes.get(_ATTEMPTS, "")
    return Outcome(
        notification_id=whose.notification_id,
        delivery_id=whose.delivery_id,
        round=whose.round,
        result="dead",
        at=at,
        attempt=int(attempts) if attempts.isdecimal() else None,
        reason=reason,
    )
