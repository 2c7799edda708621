"""Reports a dead letter as the outcome ``dead``: a row that an operator can look at and replay.

Every message is acknowledged, because this function has no dead-letter topic of its own. A message that belongs to no
delivery is logged as an error and dropped.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

import msgspec

from functions.runtime.ledger import Finished, Unfinished
from functions.runtime.outcomes import EVENT_OF_RESULT
from functions.runtime.ports import Ledger, OutcomeSink, Services
from shared import envelope
from shared.envelope import Delivery
from shared.errors import Undecodable
from shared.log_events import LogEvent
from shared.logs import EventLogger
from shared.outcomes import Outcome
from shared.reasons import Reason
from transport.port import Handler, Received

_log = EventLogger(__name__)


class _Attributes(msgspec.Struct, frozen=True):
    """The attributes that name a message's delivery when its body cannot be decoded."""

    notification_id: str
    delivery_id: str
    round: int


def connect(services: Services) -> Handler:
    """The handler of the function ``dead_letter``."""
    return partial(handle, services.ledger, services.outcomes, services.now)


def handle(ledger: Ledger, outcomes: OutcomeSink, now: Callable[[], datetime], received: Received) -> None:
    """Report the outcome of the delivery. Raises ``Retryable`` or ``CredentialsRefused`` if that is not possible."""
    outcome = _dead(received, now())
    if outcome is None:
        fields = {"message_id": received.id, "subscription": received.subscription}
        _log.error(LogEvent.MESSAGE_WITHOUT_DELIVERY, **fields)
        return
    match ledger.look_up(f"{outcome.delivery_id}.{outcome.round}"):
        case Finished(finished):
            # The transport's count is approximate: the last attempt may have succeeded, and only its report failed.
            outcome = finished
        case Unfinished(possible_duplicate):
            # The operator who replays the delivery must see that the user may have received it.
            outcome = msgspec.structs.replace(outcome, possible_duplicate=possible_duplicate)
    outcomes.publish(outcome)
    _log.log(
        logging.ERROR if outcome.result == "dead" else logging.INFO,
        EVENT_OF_RESULT[outcome.result],
        notification_id=outcome.notification_id,
        delivery_id=outcome.delivery_id,
        round=outcome.round,
        attempt=outcome.attempt,
        reason=outcome.reason,
        provider=outcome.provider,
    )


def _dead(received: Received, at: datetime) -> Outcome | None:
    """The outcome ``dead`` of the delivery in ``received``; None if the message belongs to no delivery."""
    reason = Reason.ATTEMPTS_USED_UP
    try:
        match envelope.decode(received.data):
            case Delivery() as delivery:
                ids = _Attributes(delivery.notification_id, delivery.delivery_id, delivery.round)
            case _:
                return None
    except Undecodable:
        try:
            ids = msgspec.convert(received.attributes, _Attributes, strict=False)
        except msgspec.ValidationError:
            return None
        reason = Reason.UNDECODABLE
    return Outcome(
        notification_id=ids.notification_id,
        delivery_id=ids.delivery_id,
        round=ids.round,
        result="dead",
        at=at,
        attempt=received.dead_after,
        reason=reason,
    )
