"""Drives the whole stack for a test: send, wait for the end, read what arrived, and break services on the way."""

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
import psycopg
from google.api_core.exceptions import DeadlineExceeded
from google.cloud.firestore import Client
from google.cloud.firestore_v1.base_query import FieldFilter
from google.pubsub_v1.types import PubsubMessage
from psycopg.rows import DictRow, dict_row

from functions.google import ledger
from local import pubsub_setup
from local.stack import Stack
from shared.outcomes import OPEN

T = TypeVar("T")
TIMEOUT_SECONDS = 60.0


def eventually(look: Callable[[], T | None], what: str, seconds: float = TIMEOUT_SECONDS) -> T:
    """Poll ``look`` until it returns something true, and return that. Fails with ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            message = f"Waited {seconds:g} s for {what}, which did not happen."
            raise AssertionError(message)
        time.sleep(0.05)
    return found


@dataclass(frozen=True, slots=True)
class StackDriver:
    """The running stack and clients of it. A test uses recipients of its own, so that it sees only its own arrivals."""

    stack: Stack
    api: httpx.Client
    sandbox: httpx.Client
    firestore: Client
    ledger: Client

    # Send, and follow a notification through the API.

    def send(self, channel: str, to: str | None = None, **fields: Any) -> str:
        """Send one notification over one channel, check that it is accepted, and return its id."""
        request = {"user_id": f"u-{uuid.uuid4().hex}", "event_type": "payment", "channels": [channel], "payload": {}}
        response = self.api.post("/v1/notifications", json=request | ({"to": {channel: to}} if to else {}) | fields)
        assert response.status_code == 202, response.text
        notification_id: str = response.json()["notification_id"]
        return notification_id

    def new_receiver(self) -> str:
        """The URL of a webhook receiver that no other test uses."""
        return f"{self.stack.config.sandbox_url}/webhook/{uuid.uuid4().hex}"

    def notification(self, notification_id: str) -> dict[str, Any]:
        """The notification, its deliveries and its timeline."""
        response = self.api.get(f"/v1/notifications/{notification_id}").raise_for_status()
        notification: dict[str, Any] = response.json()
        return notification

    def delivery(self, notification_id: str) -> dict[str, Any]:
        """The only delivery of a notification."""
        delivery: dict[str, Any]
        (delivery,) = self.notification(notification_id)["deliveries"]
        return delivery

    def closed_delivery(self, notification_id: str) -> dict[str, Any]:
        """Wait until the only delivery of a notification is neither pending nor queued, and return it."""

        def closed() -> dict[str, Any] | None:
            delivery = self.delivery(notification_id)
            return None if delivery["status"] in OPEN else delivery

        return eventually(closed, f"an outcome of notification {notification_id}")

    def events(self, notification_id: str, event: str) -> list[dict[str, Any]]:
        """The entries of the timeline with this event."""
        return [entry for entry in self.notification(notification_id)["timeline"] if entry["event"] == event]

    def wait_for_events(self, notification_id: str, event: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until the timeline has ``count`` entries with this event, and return them."""

        def enough() -> list[dict[str, Any]] | None:
            found = self.events(notification_id, event)
            return found if len(found) >= count else None

        return eventually(enough, f"{count} events {event!r} in the timeline of {notification_id}")

    # What reached the recipient.

    def arrivals(self, recipient: str) -> list[dict[str, Any]]:
        """What the provider stubs accepted for ``recipient``, oldest first."""
        path = recipient.removeprefix(self.stack.config.sandbox_url)
        return [arrival for arrival in self.all_arrivals() if arrival["recipient"] == path]

    def all_arrivals(self) -> list[dict[str, Any]]:
        response = self.sandbox.get("/arrivals", params={"limit": 50_000}).raise_for_status()
        arrivals: list[dict[str, Any]] = response.json()["arrivals"]
        return arrivals

    def inbox_document(self, user_id: str, notification_id: str) -> dict[str, Any] | None:
        inbox = self.firestore.collection("users").document(user_id).collection("inbox")
        document: dict[str, Any] | None = inbox.document(notification_id).get().to_dict()
        return document

    # Break and delay services.

    def delay_provider(self, channel_type: str, seconds: float) -> None:
        """Delay every response of the provider of ``channel_type`` by ``seconds`` until the test ends."""
        fault = {"channel_type": channel_type, "rate": 0, "delay_seconds": seconds}
        self.sandbox.put("/faults", json=fault).raise_for_status()

    @contextmanager
    def frozen(self, service: str) -> Iterator[None]:
        """Stop every process of ``service`` (SIGSTOP) during the block: it accepts connections and does not respond."""
        group = self.stack.child(service).process.pid
        os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(group, signal.SIGCONT)

    def kill_and_restart(self, *functions: str) -> None:
        """Kill and restart functions. The bridge is frozen meanwhile, so that no attempt meets a closed port.

        A new instance has read no channel switches, and its circuit breakers are closed.
        """
        with self.frozen("push_bridge"):
            for function in functions:
                self.stack.kill(function)
                self.stack.restart(function)

    # State behind the API.

    def claimed_keys(self) -> set[str]:
        """The ledger keys that are claimed."""
        claimed = self.ledger.collection(ledger.COLLECTION).where(filter=FieldFilter("state", "==", "claimed"))
        return {document.id.partition(".")[2] for document in claimed.stream()}

    def expire_lease(self, key: str) -> None:
        """Move the end of a claim's lease into the past, as if the lease were over."""
        assert key in self.claimed_keys()
        past = datetime.now(UTC) - timedelta(minutes=1)
        ledger.document_of(self.ledger, key).update({"lease_until": past})

    def sql(self, statement: str, *parameters: object) -> list[DictRow]:
        with psycopg.connect(self.stack.config.database_url, row_factory=dict_row, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description is not None else []

    # Pub/Sub.

    def pushes(self, subscription: str) -> dict[str, int]:
        """How many pushes of ``subscription`` got which status, and how many messages were dropped."""
        stats = httpx.get(f"{self.stack.config.bridge_url}/stats").raise_for_status().json()
        counts: dict[str, int] = stats[subscription]
        return counts

    def publish(self, topic: str, *messages: PubsubMessage) -> None:
        """Publish directly to the emulator, without the publisher."""
        emulators = self.stack.config.emulators
        with pubsub_setup.clients(emulators.pubsub_host) as (publisher, _):
            publisher.publish(topic=publisher.topic_path(emulators.project, topic), messages=list(messages))

    @contextmanager
    def listening(self, topic: str) -> Iterator[Callable[[str], PubsubMessage]]:
        """Subscribe to ``topic`` during the block. Yields a function that waits for a notification's message."""
        emulators = self.stack.config.emulators
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
