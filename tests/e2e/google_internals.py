"""The google profile behind the API: Pub/Sub, the bridge that pushes its messages, and Firestore."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from google.api_core.exceptions import DeadlineExceeded
from google.cloud.firestore import Client
from google.cloud.firestore_v1.base_query import FieldFilter
from google.pubsub_v1.types import PubsubMessage

from functions.google import ledger
from functions.google.services import INBOX_DATABASE, LEDGER_DATABASE
from local import pubsub_setup
from local.stack import Stack
from shared import outcomes
from shared.outcomes import Outcome
from shared.topology import OUTCOMES_TOPIC
from tests.e2e.waiting import eventually, frozen

# 0: the bridge reused a connection to a function that another test had replaced.
_HARMLESS = {"204", "dropped", "delayed", "0"}
"""What the bridge counts besides refused pushes: handled messages, and those without a subscriber."""


class GoogleInternals:
    """Implements ``tests.e2e.internals.Internals``."""

    delivering = "push_bridge"
    transport_server = "pubsub"
    repeats_after_postgres_was_away = False

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._inboxes = _administrator(stack, INBOX_DATABASE)
        self._ledger = _administrator(stack, LEDGER_DATABASE)

    def service_of(self, function: str) -> str:
        return function

    def give_up_messages_of(self, service: str) -> None:
        """The push of a killed service has failed, so its message is delivered again anyway."""

    def give_up_messages_of_all(self) -> None:
        """The emulator has lost them, and the outbox publishes everything again when the emulator is restarted."""

    @contextmanager
    def messages_kept(self, function: str, notification_id: str) -> Iterator[None]:  # noqa: ARG002 - it keeps all
        with frozen(self._stack, function):
            yield

    @contextmanager
    def publishing_suspended(self) -> Iterator[None]:
        with frozen(self._stack, self.transport_server):
            yield

    def claimed_keys(self) -> set[str]:
        claimed = self._ledger.collection(ledger.COLLECTION).where(filter=FieldFilter("state", "==", "claimed"))
        return {document.id.partition(".")[2] for document in claimed.stream()}

    def interrupted_keys(self) -> set[str]:
        return self.claimed_keys()  # the emulator may still carry out the last call of the killed function

    def expire_lease(self, key: str) -> bool:
        claimed = key in self.claimed_keys()
        if claimed:
            past = datetime.now(UTC) - timedelta(minutes=1)
            ledger.document_of(self._ledger, key).update({"lease_until": past})
        return claimed

    def switches(self) -> dict[str, bool]:
        document: dict[str, Any] = self._ledger.collection("config").document("channels").get().to_dict() or {}
        channels: dict[str, bool] = document.get("channels", {})
        return channels

    def inbox(self, user_id: str) -> dict[str, datetime | None]:
        entries = self._inboxes.collection("users").document(user_id).collection("inbox").stream()
        return {entry.id: entry.to_dict()["read_at"] for entry in entries}

    def refusals(self, subscription: str) -> int:
        return sum(count for status, count in self.pushes(subscription).items() if status not in _HARMLESS)

    def publish_outcomes(self, published: Sequence[Outcome]) -> None:
        self.publish(OUTCOMES_TOPIC, *(PubsubMessage(data=outcomes.encode(outcome)) for outcome in published))

    def pushes(self, subscription: str) -> dict[str, int]:
        """How many pushes of ``subscription`` got which status, and how many messages were dropped."""
        stats = httpx.get(f"{self._stack.config.bridge_url}/stats").raise_for_status().json()
        counts: dict[str, int] = stats[subscription]
        return counts

    def publish(self, topic: str, *messages: PubsubMessage) -> None:
        """Publish directly to the emulator, without the publisher."""
        emulators = self._stack.config.emulators
        with pubsub_setup.clients(emulators.pubsub_host) as (publisher, _):
            publisher.publish(topic=publisher.topic_path(emulators.project, topic), messages=list(messages))

    @contextmanager
    def listening(self, topic: str) -> Iterator[Callable[[str], PubsubMessage]]:
        """Subscribe to ``topic`` during the block. Yields a function that waits for a notification's message."""
        emulators = self._stack.config.emulators
        seen: dict[str, PubsubMessage] = {}
        with pubsub_setup.clients(emulators.pubsub_host) as (_, subscriber):
            path = subscriber.subscription_path(emulators.project, f"test-{uuid.uuid4().hex}")
            subscriber.create_subscription(name=path, topic=f"projects/{emulators.project}/topics/{topic}")

            def look(notification_id: str) -> PubsubMessage | None:
                try:
                    pulled = subscriber.pull(subscription=path, max_messages=100, timeout=1, retry=None)
                except DeadlineExceeded:
                    return None
                for received in pulled.received_messages:
                    seen[received.message.attributes.get("notification_id", "")] = received.message
                return seen.get(notification_id)

            yield lambda notification_id: eventually(
                lambda: look(notification_id), f"the message of notification {notification_id} on topic {topic}"
            )
            subscriber.delete_subscription(subscription=path)


def _administrator(stack: Stack, database: str) -> Client:
    """A client with an administrator's rights, to whom the security rules do not apply."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in stack.config.emulators.environment.items():
            environment.setenv(name, value)
        return Client(project=stack.config.emulators.project, database=database)  # keeps the emulator's address
