"""Deliver once: claim, send, record, report."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from functions.runtime.attempt import Attempt
from functions.runtime.deferral import Deferral
from functions.runtime.ledger import Claimed, ClaimedByOther, CoolingDown, Finished
from functions.runtime.outcomes import EVENT_OF_RESULT
from functions.runtime.ports import ChannelSwitches, Ledger, OutcomeSink, Record
from functions.runtime.provider import Provider, Rejected, Sent
from shared import envelope
from shared.envelope import Delivery
from shared.errors import CredentialsRefused, Deferred, DeliveryError, Retryable, StillSending, Undecodable
from shared.log_events import LogEvent
from shared.logs import EventLogger
from shared.outcomes import Outcome
from shared.reasons import Reason
from transport.port import Received

_log = EventLogger(__name__)


def _not_known(_delivery: Delivery) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What ``deliver`` depends on. ``now`` returns aware times.

    ``arrival`` returns the answer of an earlier attempt that the ledger knows nothing of (``arrival.py``), or None.
    ``deferral`` is set where each receiver has its own server: a delivery whose receiver fails waits in the outbox.
    Without it, the transport repeats every failed attempt.
    """

    provider: Provider
    ledger: Ledger
    switches: ChannelSwitches
    outcomes: OutcomeSink
    record: Record
    now: Callable[[], datetime]
    arrival: Callable[[Delivery], Sent | None] = _not_known
    deferral: Deferral | None = None


def handle_delivery(channel_type: str, dependencies: Dependencies, received: Received) -> None:
    """Deliver the message ``received``. Raises ``Undecodable`` if it is not a delivery of ``channel_type``.

    Also raises ``Retryable`` and ``CredentialsRefused``, as ``deliver`` does.
    """
    match envelope.decode(received.data):
        case Delivery() as delivery if delivery.channel_type == channel_type:
            deliver(delivery, received.attempt, dependencies)
        case other:
            message = f"The function of {channel_type} received a {type(other).__name__} that is not meant for it."
            raise Undecodable(message)


def deliver(delivery: Delivery, number: int | None, dependencies: Dependencies) -> None:
    """Deliver, or find the recorded outcome, and report it. When this returns, the message is done.

    ``number`` counts the attempts of this message, from 1. Raises ``Retryable``, ``CredentialsRefused`` or
    ``Undecodable``.
    """
    attempt = Attempt(delivery, number and delivery.deferrals + number, dependencies.now())
    claim: Claimed | None = None
    try:
        outcome, claim = _conclude(attempt, dependencies)
    except Deferred as error:
        outcome = attempt.deferred(error, dependencies.now())
    except DeliveryError as error:
        _report_failure(attempt, error, dependencies)
        raise
    except Undecodable as error:
        _report_failure(attempt, Retryable(Reason.UNDECODABLE, str(error)), dependencies)
        raise
    except Exception as bug:
        # The timeline shows that the fault is ours; the framework logs the traceback.
        _report_failure(attempt, Retryable(Reason.INTERNAL_ERROR, type(bug).__name__), dependencies)
        raise
    # If publishing fails, the transport delivers the message again; the ledger then returns the finished outcome,
    # and we publish it again.
    if claim is None:
        dependencies.outcomes.publish(outcome)
    else:
        dependencies.record(claim, outcome)
    event = EVENT_OF_RESULT[outcome.result]
    _log.info(event, **attempt.log_fields(), reason=outcome.reason, provider=outcome.provider)


def _conclude(attempt: Attempt, dependencies: Dependencies) -> tuple[Outcome, Claimed | None]:
    """The outcome, and the claim that it finishes; None if the ledger has the outcome, or needs none."""
    match dependencies.ledger.claim(attempt.delivery.key, attempt.received_at):
        case Finished(outcome):
            return outcome, None
        case ClaimedByOther():
            raise Retryable(Reason.CLAIMED_BY_OTHER, "Another worker is sending this delivery.")
        case CoolingDown() if attempt.received_at >= attempt.delivery.expires_at:
            return msgspec.structs.replace(attempt.expired(dependencies.now()), possible_duplicate=True), None
        case CoolingDown(until):
            detail = f"An earlier attempt is unconfirmed. The next attempt is made after {until:%H:%M:%S} UTC."
            if dependencies.deferral is not None:
                raise Deferred(Reason.UNCONFIRMED, detail, until=until, ambiguous=True)
            raise Retryable(Reason.UNCONFIRMED, detail)
        case Claimed() as claim:
            outcome = _outcome(attempt, claim, dependencies)
            if claim.possible_duplicate:
                outcome = msgspec.structs.replace(outcome, possible_duplicate=True)
            return outcome, claim


def _outcome(attempt: Attempt, claim: Claimed, dependencies: Dependencies) -> Outcome:
    not_sent = _why_not(attempt, dependencies)
    if not_sent is None:
        try:
            return attempt.answered(_send(attempt, claim, dependencies), dependencies.now())
        except Retryable as error:
            if dependencies.deferral is None:
                raise
            return _given_up(attempt, claim, error, dependencies.deferral, dependencies.now())
    arrived = dependencies.arrival(attempt.delivery)
    return attempt.answered(arrived, dependencies.now()) if arrived else not_sent


def _given_up(attempt: Attempt, claim: Claimed, error: Retryable, deferral: Deferral, now: datetime) -> Outcome:
    """The outcome ``dead`` after the last attempt. Raises ``Deferred`` after all others."""
    deferrals = attempt.delivery.deferrals
    if deferral.is_over(deferrals):
        return attempt.dead(error, now)
    until = min(deferral.until(error, deferrals, claim.unconfirmed_attempts, now), attempt.delivery.expires_at)
    ambiguous = error.ambiguous or claim.possible_duplicate
    raise Deferred(error.reason, error.detail, provider=error.provider, until=until, ambiguous=ambiguous) from error


def _why_not(attempt: Attempt, dependencies: Dependencies) -> Outcome | None:
    """The outcome of a delivery that must not be sent any more, or None."""
    delivery = attempt.delivery
    if attempt.received_at >= delivery.expires_at:
        return attempt.expired(dependencies.now())
    if not dependencies.switches.is_on(delivery.channel, delivery.switched_on):
        return attempt.suppressed(Reason.CHANNEL_OFF, dependencies.now())
    return None


def _send(attempt: Attempt, claim: Claimed, dependencies: Dependencies) -> Sent | Rejected:
    """Send, and release the claim if the attempt has no outcome.

    After any other error the claim is kept until its lease ends, because we do not know what was sent.
    """
    try:
        return dependencies.provider.send(attempt.delivery)
    except StillSending:
        raise
    except Retryable as error:
        _release(attempt, claim, dependencies, ambiguous=error.ambiguous)
        raise
    except (CredentialsRefused, Undecodable):
        _release(attempt, claim, dependencies, ambiguous=False)
        raise


def _release(attempt: Attempt, claim: Claimed, dependencies: Dependencies, *, ambiguous: bool) -> None:
    try:
        dependencies.ledger.release(claim, dependencies.now(), ambiguous=ambiguous)
    except DeliveryError as error:
        _log.warning(LogEvent.LEDGER_RELEASE_FAILED, **attempt.log_fields(), reason=error.reason, error=str(error))


def _report_failure(attempt: Attempt, error: DeliveryError, dependencies: Dependencies) -> None:
    """Report a failed attempt for the timeline. If that fails, only log it: the attempt is repeated in any case."""
    fields = attempt.log_fields() | {"reason": error.reason, "provider": error.provider}
    _log.warning(LogEvent.DELIVERY_ATTEMPT_FAILED, **fields)
    try:
        dependencies.outcomes.publish(attempt.failed(error, dependencies.now()))
    except DeliveryError as unpublished:
        _log.warning(LogEvent.DELIVERY_REPORT_FAILED, **fields, error=str(unpublished))
