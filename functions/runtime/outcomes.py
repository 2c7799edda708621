"""Outcomes on their way home: the topic that the publisher listens to."""

from typing import Protocol

from google.cloud.pubsub_v1 import PublisherClient
from google.cloud.pubsub_v1.types import BatchSettings

from functions.runtime.google_api import CALL, PATIENCE_SECONDS, delivery_errors
from shared import outcomes
from shared.outcomes import Outcome


class OutcomePublisher(Protocol):
    """Carries an outcome to the publisher's side."""

    def publish(self, outcome: Outcome) -> None:
        """Return when ``outcome`` is safe with the carrier. Raises ``Retryable`` or ``CredentialsRefused``."""
        ...


class PubSubOutcomes:
    """Publishes each outcome by itself and waits until Pub/Sub has it: the function's answer depends on it."""

    def __init__(self, client: PublisherClient, topic: str) -> None:
        self._client = client
        self._topic = topic

    @classmethod
    def connect(cls, project: str, topic: str) -> "PubSubOutcomes":
        client = PublisherClient(batch_settings=BatchSettings(max_messages=1))
        return cls(client, client.topic_path(project, topic))

    def publish(self, outcome: Outcome) -> None:
        attributes = {
            "result": outcome.result,
            "notification_id": outcome.notification_id,
            "delivery_id": outcome.delivery_id,
            "v": str(outcome.v),
        }
        with delivery_errors("outcomes"):
            published = self._client.publish(self._topic, outcomes.encode(outcome), **CALL, **attributes)
            published.result(timeout=PATIENCE_SECONDS)
