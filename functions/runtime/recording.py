"""Records how a claimed delivery ended: first in the ledger, then on the topic that leads to the publisher."""

from functions.runtime.ledger import Claimed
from functions.runtime.ports import Ledger, OutcomeSink
from shared.errors import DeliveryError
from shared.log_events import LogEvent
from shared.logs import EventLogger
from shared.outcomes import Outcome

_log = EventLogger(__name__)


def record(ledger: Ledger, outcomes: OutcomeSink, claim: Claimed, outcome: Outcome) -> None:
    """Finish ``claim``, then publish ``outcome``. Raises ``Retryable`` or ``CredentialsRefused`` of the publishing.

    An unavailable ledger is logged and not raised. If this raised, the transport would deliver the message again, and
    after the lease the user would get it twice.
    """
    try:
        ledger.finish(claim, outcome)
    except DeliveryError as error:
        finish_failed(outcome, error)
    outcomes.publish(outcome)


def finish_failed(outcome: Outcome, error: DeliveryError) -> None:
    """Log that ``outcome`` is not in the ledger."""
    _log.warning(
        LogEvent.LEDGER_FINISH_FAILED,
        notification_id=outcome.notification_id,
        delivery_id=outcome.delivery_id,
        round=outcome.round,
        attempt=outcome.attempt,
        reason=error.reason,
        error=str(error),
    )
