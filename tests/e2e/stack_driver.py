"""A journey on the whole stack: send, wait for the end, look at what arrived, and do harm on the way."""

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

from functions.runtime import ledger
from local import pubsub_setup as topology
from local.stack import Stack
from shared.outcomes import OPEN

T = TypeVar("T")
PATIENCE_SECONDS = 60.0


def eventually(look: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """What ``look`` finds, as soon as it is something; fails with ``what`` when it never is."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            message = f"waited {seconds:g} s in vain for {what}"
            raise AssertionError(message)
        time.sleep(0.05)
    return found


@dataclass(frozen=True, slots=True)
class Journey:
    """The stack and what a test sees of it. Recipients are of a test's own, so that tests do not see each other's."""

    stack: Stack
    api: httpx.Client
    sandbox: httpx.Client
    firestore: Client

    def send(self, channel: str, to: str | None = None, **fields: Any) -> str:
        """Send one notification over one channel, which must be accepted; its id."""
        request = {"user_id": f"u-{uuid.uuid4().hex}", "event_type": "payment", "channels": [channel], "payload": {}}
        answer = self.api.post("/v1/notifications", json=request | ({"to": {channel: to}} if to else {}) | fields)
        assert answer.status_code == 202, answer.text
        notification_id: str = answer.json()["notification_id"]
        return notification_id

    def receiver(self) -> str:
        """The address of a webhook receiver that nobody else knows."""
        return f"{self.stack.layout.sandbox_url}/webhook/{uuid.uuid4().hex}"

    def story(self, notification_id: str) -> dict[str, Any]:
        story: dict[str, Any] = self.api.get(f"/v1/notifications/{notification_id}").raise_for_status().json()
        return story

    def delivery(self, notification_id: str) -> dict[str, Any]:
        """The one delivery of a notification."""
        delivery: dict[str, Any]
        (delivery,) = self.story(notification_id)["deliveries"]
        return delivery

    def settled(self, notification_id: str) -> dict[str, Any]:
        """The one delivery of a notification, once it has come to an end."""

        def ended() -> dict[str, Any] | None:
            delivery = self.delivery(notification_id)
            return None if delivery["status"] in OPEN else delivery

        return eventually(ended, f"the end of {notification_id}")

    def events(self, notification_id: str, event: str) -> list[dict[str, Any]]:
        """The entries of the timeline that are an ``event``."""
        return [entry for entry in self.story(notification_id)["timeline"] if entry["event"] == event]

    def recorded(self, notification_id: str, event: str, count: int = 1) -> list[dict[str, Any]]:
        """The entries of the timeline that are an ``event``, once there are ``count``."""

        def enough() -> list[dict[str, Any]] | None:
            found = self.events(notification_id, event)
            return found if len(found) >= count else None

        return eventually(enough, f"{count} of {event} in the timeline of {notification_id}")

    def arrivals(self, recipient: str) -> list[dict[str, Any]]:
        """What the providers took for ``recipient``, oldest first."""
        path = recipient.removeprefix(self.stack.layout.sandbox_url)
        return [arrival for arrival in self.all_arrivals() if arrival["recipient"] == path]

    def all_arrivals(self) -> list[dict[str, Any]]:
        answer = self.sandbox.get("/arrivals", params={"limit": 50_000}).raise_for_status()
        arrivals: list[dict[str, Any]] = answer.json()["arrivals"]
        return arrivals

    def slow_down(self, channel: str, seconds: float) -> None:
        """Let the provider of ``channel`` take ``seconds`` over everything, until the test ends."""
        fault = {"channel": channel, "rate": 0, "delay_seconds": seconds}
        self.sandbox.put("/faults", json=fault).raise_for_status()

    def pushes(self, subscription: str) -> dict[str, int]:
        """How often the bridge was answered with which status, for ``subscription``."""
        stats = httpx.get(f"{self.stack.layout.bridge_url}/stats").raise_for_status().json()
        counts: dict[str, int] = stats[subscription]
        return counts

    def inbox_document(self, user_id: str, notification_id: str) -> dict[str, Any] | None:
        inbox = self.firestore.collection("users").document(user_id).collection("inbox")
        document: dict[str, Any] | None = inbox.document(notification_id).get().to_dict()
        return document

    def claimed(self) -> set[str]:
        """The keys in the ledger that somebody holds."""
        held = self.firestore.collection(ledger.COLLECTION).where(filter=FieldFilter("state", "==", "claimed"))
        return {document.id.partition(".")[2] for document in held.stream()}

    def let_the_lease_pass(self, key: str) -> None:
        """Move the end of a claim into the past: as if the 90 s that a lease holds were over."""
        assert key in self.claimed()
        long_ago = datetime.now(UTC) - timedelta(minutes=1)
        ledger.document_of(self.firestore, key).update({"lease_until": long_ago})

    def sql(self, statement: str, *parameters: object) -> list[DictRow]:
        with psycopg.connect(self.stack.layout.database_url, row_factory=dict_row, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description is not None else []

    @contextmanager
    def frozen(self, part: str) -> Iterator[None]:
        """Hold every process of ``part`` still while the block runs: it neither works nor refuses."""
        group = self.stack.child(part).process.pid
        os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(group, signal.SIGCONT)

    def kill_and_restart(self, function: str) -> None:
        """Pushes wait meanwhile, so that no attempt is spent on a function that is not there."""
        with self.frozen("push_bridge"):
            self.stack.kill(function)
            self.stack.restart(function)

    def publish(self, topic: str, *messages: PubsubMessage) -> None:
        """Publish by hand, as anyone with the right could."""
        emulators = self.stack.layout.emulators
        with topology.clients(emulators.pubsub_host) as (publisher, _):
            publisher.publish(topic=publisher.topic_path(emulators.project, topic), messages=list(messages))

    @contextmanager
    def tapped(self, topic: str) -> Iterator[Callable[[str], PubsubMessage]]:
        """Listen to ``topic``; gives a function that finds the message of a notification."""
        emulators = self.stack.layout.emulators
        seen: dict[str, PubsubMessage] = {}
        with topology.clients(emulators.pubsub_host) as (_, subscriber):
            tap = subscriber.subscription_path(emulators.project, f"tap-{uuid.uuid4().hex}")
            subscriber.create_subscription(name=tap, topic=f"projects/{emulators.project}/topics/{topic}")

            def look(notification_id: str) -> PubsubMessage | None:
                try:
                    pulled = subscriber.pull(subscription=tap, max_messages=100, timeout=1, retry=None)
                except DeadlineExceeded:
                    return None
                for received in pulled.received_messages:
                    seen[received.message.attributes.get("notification_id", "")] = received.message
                return seen.get(notification_id)

            yield lambda notification_id: eventually(lambda: look(notification_id), "the message on the topic")
            subscriber.delete_subscription(subscription=tap)
