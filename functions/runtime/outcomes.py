"""Publishes outcomes over a transport, and turns the transport's errors into ours."""

from collections.abc import Mapping, Sequence

from shared import outcomes
from shared.errors import CredentialsRefused, Retryable
from shared.log_events import LogEvent
from shared.outcomes import Outcome, Report
from shared.reasons import Reason
from transport.port import Encoded, PublishError, PublishRefused, Topic

EVENT_OF_RESULT: Mapping[Report, LogEvent] = {
    "sent": LogEvent.DELIVERY_SENT,
    "delivered": LogEvent.DELIVERY_DELIVERED,
    "bounced": LogEvent.DELIVERY_BOUNCED,
    "failed": LogEvent.DELIVERY_FAILED,
    "suppressed": LogEvent.DELIVERY_SUPPRESSED,
    "expired": LogEvent.DELIVERY_EXPIRED,
    "dead": LogEvent.DELIVERY_DEAD,
    "attempt": LogEvent.DELIVERY_ATTEMPT_FAILED,
    "deferred": LogEvent.DELIVERY_DEFERRED,
    "erased": LogEvent.INBOX_ERASED,
}


def encode(outcome: Outcome) -> Encoded:
    """The outcome as it travels. The attributes help an operator; the body is authoritative."""
    attributes = {
        "result": outcome.result,
        "notification_id": outcome.notification_id,
        "delivery_id": outcome.delivery_id,
        "v": str(outcome.v),
    }
    return Encoded(outcomes.encode(outcome), attributes)


class TopicOutcomeSink:
    """The outcome sink over a topic. Publishes each outcome alone: the function waits until it is stored."""

    def __init__(self, topic: Topic[Outcome]) -> None:
        self._topic = topic

    def publish(self, outcome: Outcome) -> None:
        """Publish ``outcome``; return when the topic has stored it. Raises ``Retryable`` or ``CredentialsRefused``."""
        publish_all(self._topic, [outcome])


def publish_all(topic: Topic[Outcome], outcomes: Sequence[Outcome]) -> None:
    """Publish ``outcomes`` together; return when the topic has stored them all.

    Raises ``Retryable`` or ``CredentialsRefused``; any of them may then be stored.
    """
    try:
        stored = sum(len(batch) for batch in topic.publish(outcomes))
    except PublishRefused as error:
        raise CredentialsRefused(Reason.OUTCOMES_REFUSED, str(error)) from error
    except PublishError as error:
        raise Retryable(Reason.OUTCOMES_UNAVAILABLE, str(error)) from error
    if stored < len(outcomes):
        raise Retryable(Reason.OUTCOMES_UNAVAILABLE, "The topic does not accept this outcome.")
