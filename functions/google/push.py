"""Pub/Sub's push requests: the message in the body, and what each status code makes Pub/Sub do.

::

    204  the message is done
    503  Pub/Sub delivers the message again
    500  Pub/Sub delivers the message again, and we raise an alert
    400  undecodable; Pub/Sub delivers the message again and in the end moves it to the dead-letter topic

Any other error is a bug: the functions framework logs its traceback and responds with 500.
"""

import logging

from functions.runtime.lazy import Lazy
from shared import pubsub_push
from shared.errors import CredentialsRefused, DeliveryError, Retryable, Undecodable
from shared.log_events import LogEvent
from shared.logs import EventLogger
from shared.pubsub_push import Push
from transport.port import Handler, Received

DEAD_LETTER_COUNT = "CloudPubSubDeadLetterSourceDeliveryCount"
"""The attribute in which Pub/Sub counts the attempts that were made before it moved the message."""
_log = EventLogger(__name__)


def respond(body: bytes, handler: Lazy[Handler]) -> tuple[str, int]:
    """Handle the push in ``body``; return an empty body and the status."""
    handle = handler.get()
    fields: dict[str, object] = {}
    try:
        received = received_from(pubsub_push.decode(body))
        fields = {"message_id": received.id, "subscription": received.subscription, "attempt": received.attempt}
        handle(received)
    except Retryable as error:
        _log.warning(LogEvent.MESSAGE_RETRYABLE, **fields, **_fields_of(error), status=503)
        return "", 503
    except CredentialsRefused as error:
        _log.log(logging.CRITICAL, LogEvent.MESSAGE_CREDENTIALS_REFUSED, **fields, **_fields_of(error), status=500)
        return "", 500
    except Undecodable as error:
        _log.error(LogEvent.MESSAGE_UNDECODABLE, **fields, error=str(error), status=400)
        return "", 400
    return "", 204


def received_from(push: Push) -> Received:
    """The push's message, without Pub/Sub's names."""
    count = push.message.attributes.get(DEAD_LETTER_COUNT, "")
    return Received(
        data=push.message.data,
        attributes=push.message.attributes,
        attempt=push.delivery_attempt,
        id=push.message.message_id,
        subscription=push.subscription,
        dead_after=int(count) if count.isdecimal() else None,
    )


def _fields_of(error: DeliveryError) -> dict[str, object]:
    return {"reason": error.reason, "provider": error.provider, "error": str(error)}
