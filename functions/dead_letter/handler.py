"""Reports a dead letter as the outcome ``dead``: a row that an operator can look at and replay.

Every message is acknowledged, because this function has no dead-letter topic of its own. A message that belongs to no
delivery is logged as an error and dropped.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

import msgspec

from functions.runtime.arrival import arrival
from functions.runtime.ledger import Finished, Unfinished
from functions.runtime.outcomes import EVENT_OF_RESULT
from functions.runtime.ports import Inbox, Ledger, OutcomeSink, Services
from shared import envelope
from shared.envelope import Command, Delivery, Message
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
    return partial(handle, services.ledger, services.inbox, services.outcomes, services.now)


def handle(
    ledger: Ledger, inbox: Inbox, outcomes: OutcomeSink, now: Callable[[], datetime], received: Received
) -> None:
    """Report the outcome of the delivery. Raises ``Retryable`` or ``CredentialsRefused`` if that is not possible."""
    message = _message_in(received)
    dead = _dead(message, received, now())
    if dead is None:
        fields = {"message_id": received.id, "subscription": received.subscription}
        _log.error(LogEvent.MESSAGE_WITHOUT_DELIVERY, **fields)
        return
    outcome = _recorded(ledger, dead)
    if outcome.result == "dead" and isinstance(message, Delivery):
        outcome = _arrived(inbox, message, outcome)
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


def _message_in(received: Received) -> Message | None:
    try:
        return envelope.decode(received.data)
    except Undecodable:
        return None


def _dead(message: Message | None, received: Received, at: datetime) -> Outcome | None:
    """The outcome ``dead`` of the delivery in ``received``; None if the message belongs to no delivery."""
    reason = Reason.ATTEMPTS_USED_UP
    match message:
        case Delivery():
            ids = _Attributes(message.notification_id, message.delivery_id, message.round)
        case Command():
            return None
        case None:
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


def _recorded(ledger: Ledger, dead: Outcome) -> Outcome:
    """The outcome that the ledger has of the delivery, or ``dead``."""
    match ledger.look_up(f"{dead.delivery_id}.{dead.round}"):
        case Finished(finished):
            # The transport's count is approximate: the last attempt may have succeeded, and only its report failed.
            return finished
        case Unfinished(possible_duplicate):
            # The operator who replays the delivery must see that the user may have received it.
            return msgspec.structs.replace(dead, possible_duplicate=possible_duplicate)


def _arrived(inbox: Inbox, delivery: Delivery, dead: Outcome) -> Outcome:
    """``sent`` if the delivery is in the inbox, which is the only ledger of inapp deliveries; or ``dead``."""
    sent = arrival(inbox, delivery)
    if sent is None:
        return dead
    return msgspec.structs.replace(
        dead, result="sent", reason=None, provider=sent.provider, provider_message_id=sent.provider_message_id
    )
