"""Pub/Sub's push requests: the message in the body, and what each status code makes Pub/Sub do.

::

    204  the message is done
    503  Pub/Sub delivers the message again
    500  Pub/Sub delivers the message again, and we raise an alert
    400  undecodable; Pub/Sub delivers the message again and in the end moves it to the dead-letter topic

Any other error is a bug: the functions framework logs its traceback and responds with 500.
"""

from functions.runtime.lazy import Lazy
from shared import pubsub_push
from shared.errors import Undecodable
from shared.log_events import LogEvent
from shared.logs import EventLogger
from shared.pubsub_push import Push
from transport import verdict
from transport.port import Handler, Received
from transport.verdict import Verdict

DEAD_LETTER_COUNT = "CloudPubSubDeadLetterSourceDeliveryCount"
"""The attribute in which Pub/Sub counts the attempts that were made before it moved the message."""
_STATUS = {Verdict.DONE: 204, Verdict.RETRY: 503, Verdict.ALERT: 500, Verdict.UNDECODABLE: 400}
_log = EventLogger(__name__)


def respond(body: bytes, handler: Lazy[Handler]) -> tuple[str, int]:
    """Handle the push in ``body``; return an empty body and the status."""
    handle = handler.get()
    try:
        push = pubsub_push.decode(body)
    except Undecodable as error:
        _log.error(LogEvent.MESSAGE_UNDECODABLE, error=str(error))
        return "", _STATUS[Verdict.UNDECODABLE]
    return "", _STATUS[verdict.handle(handle, received_from(push))]


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
