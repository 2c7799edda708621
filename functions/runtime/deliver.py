"""Deliver once: claim, send, record, report."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from functions.runtime.attempt import Attempt
from functions.runtime.ledger import Claimed, Finished, Held, Ledger, Resting
from functions.runtime.outcomes import OutcomePublisher
from functions.runtime.provider import Provider, Rejected, Sent
from functions.runtime.switchboard import Switchboard
from shared.envelope import Delivery
from shared.errors import CredentialsRefused, DeliveryError, Retryable, Undecodable
from shared.outcomes import Outcome

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What delivering needs of the outside. ``now`` gives aware times."""

    provider: Provider
    ledger: Ledger
    switchboard: Switchboard
    outcomes: OutcomePublisher
    now: Callable[[], datetime]


def deliver(delivery: Delivery, number: int | None, parts: Parts) -> None:
    """Deliver, or find out that it was done, and report; on return the message can be acknowledged.

    ``number`` counts the attempts, from 1. Raises ``Retryable``, ``CredentialsRefused`` or ``Undecodable``.
    """
    attempt = Attempt(delivery, number, parts.now())
    try:
        outcome = _conclude(attempt, parts)
    except DeliveryError as error:
        _report_failure(attempt, error, parts)
        raise
    except Undecodable as error:
        _report_failure(attempt, Retryable("undecodable", str(error)), parts)
        raise
    except Exception as bug:
        # The timeline of whoever waits for this should say that it is our fault; the traceback is for the log.
        _report_failure(attempt, Retryable("internal_error", type(bug).__name__), parts)
        raise
    # When this raises, the message comes again, finds the ledger finished, and is reported then.
    parts.outcomes.publish(outcome)
    _log.info(outcome.result, extra=attempt.facts() | {"reason": outcome.reason, "provider": outcome.provider})


def _conclude(attempt: Attempt, parts: Parts) -> Outcome:
    match parts.ledger.claim(attempt.delivery.key, attempt.received_at):
        case Finished(outcome):
            return outcome
        case Held():
            raise Retryable("claim_held", "Another worker has this delivery.")
        case Resting() if attempt.received_at >= attempt.delivery.expires_at:
            return msgspec.structs.replace(attempt.expired(parts.now()), possible_duplicate=True)
        case Resting(until):
            detail = f"An attempt may have arrived unconfirmed; the next is made after {until:%H:%M:%S} UTC."
            raise Retryable("unconfirmed", detail)
        case Claimed() as claim:
            outcome = _outcome(attempt, claim, parts)
            if claim.uncertain:
                outcome = msgspec.structs.replace(outcome, possible_duplicate=True)
            _record(attempt, claim, outcome, parts)
            return outcome


def _outcome(attempt: Attempt, claim: Claimed, parts: Parts) -> Outcome:
    if attempt.received_at >= attempt.delivery.expires_at:
        return attempt.expired(parts.now())
    if not parts.switchboard.is_on(attempt.delivery.channel, attempt.delivery.switched_on):
        return attempt.suppressed("channel_off", parts.now())
    answer = _send(attempt, claim, parts)
    return attempt.answered(answer, parts.now())


def _send(attempt: Attempt, claim: Claimed, parts: Parts) -> Sent | Rejected:
    """Send, and give the claim back if it comes to nothing.

    Any other error leaves the claim to run out: nobody knows what was sent.
    """
    try:
        return parts.provider.send(attempt.delivery)
    except Retryable as error:
        _release(attempt, claim, parts, uncertain=error.ambiguous)
        raise
    except (CredentialsRefused, Undecodable):
        _release(attempt, claim, parts, uncertain=False)
        raise


def _release(attempt: Attempt, claim: Claimed, parts: Parts, *, uncertain: bool) -> None:
    try:
        parts.ledger.release(claim, parts.now(), uncertain=uncertain)
    except DeliveryError as error:
        _log.warning("The claim could not be released, so it has to run out: %s", error, extra=attempt.facts())


def _record(attempt: Attempt, claim: Claimed, outcome: Outcome, parts: Parts) -> None:
    """Record the end. A ledger that is away now is no reason to raise.

    The message would come again and be sent again, once the claim has run out. Reported and acknowledged, it will not.
    """
    try:
        parts.ledger.finish(claim, outcome)
    except DeliveryError as error:
        _log.warning("The end could not be recorded, and is only reported: %s", error, extra=attempt.facts())


def _report_failure(attempt: Attempt, error: DeliveryError, parts: Parts) -> None:
    """A row of the timeline, worth no more than a try: the attempt is repeated either way."""
    facts = attempt.facts() | {"reason": error.reason, "provider": error.provider}
    _log.warning("attempt", extra=facts)
    try:
        parts.outcomes.publish(attempt.failed(error, parts.now()))
    except DeliveryError as unpublished:
        _log.warning("The attempt could not be reported: %s", unpublished, extra=facts)
