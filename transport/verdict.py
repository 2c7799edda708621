"""What handling a message came to, in one place for every transport: a verdict, and its log record."""

import logging
from enum import Enum, auto

from shared.errors import CredentialsRefused, DeliveryError, Retryable, Undecodable
from shared.log_events import LogEvent
from shared.logs import EventLogger
from transport.port import Handler, Received

_log = EventLogger(__name__)


class Verdict(Enum):
    """What the transport must do with the message: nothing more, or deliver it again."""

    DONE = auto()
    RETRY = auto()
    ALERT = auto()
    """Deliver it again. Our credentials were refused, and an alert is raised."""
    UNDECODABLE = auto()
    """Deliver it again, which cannot help: in the end it becomes a dead letter."""


def handle(handler: Handler, received: Received) -> Verdict:
    """Handle ``received``. Raises what the handler raises because of a bug."""
    fields: dict[str, object] = {
        "message_id": received.id,
        "subscription": received.subscription,
        "attempt": received.attempt,
    }
    try:
        handler(received)
    except Retryable as error:
        _log.warning(LogEvent.MESSAGE_RETRYABLE, **fields, **_fields_of(error))
        return Verdict.RETRY
    except CredentialsRefused as error:
        _log.log(logging.CRITICAL, LogEvent.MESSAGE_CREDENTIALS_REFUSED, **fields, **_fields_of(error))
        return Verdict.ALERT
    except Undecodable as error:
        _log.error(LogEvent.MESSAGE_UNDECODABLE, **fields, error=str(error))
        return Verdict.UNDECODABLE
    return Verdict.DONE


def _fields_of(error: DeliveryError) -> dict[str, object]:
    return {"reason": error.reason, "provider": error.provider, "error": str(error)}
