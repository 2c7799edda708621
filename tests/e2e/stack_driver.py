"""Drives the whole stack for a test: send, wait for the end, read what arrived, and break services on the way."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
from psycopg.rows import DictRow, dict_row

from local.stack import Stack
from shared.outcomes import OPEN
from shared.topology import CHANNEL_TYPES
from tests.e2e.google_internals import GoogleInternals
from tests.e2e.internals import Internals, KeepsMessages
from tests.e2e.waiting import eventually, frozen
from tests.killable_postgres import start_again


@dataclass(frozen=True, slots=True)
class StackDriver:
    """The running stack and clients of it. A test uses recipients of its own, so that it sees only its own arrivals."""

    stack: Stack
    api: httpx.Client
    sandbox: httpx.Client
    internals: Internals

    @property
    def google(self) -> GoogleInternals:
        """The internals of the google profile, for a test of this profile only."""
        assert isinstance(self.internals, GoogleInternals)
        return self.internals

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

    # Break and delay services.

    def delay_provider(self, channel_type: str, seconds: float) -> None:
        """Delay every response of the provider of ``channel_type`` by ``seconds`` until the test ends."""
        fault = {"channel_type": channel_type, "rate": 0, "delay_seconds": seconds}
        self.sandbox.put("/faults", json=fault).raise_for_status()

    def frozen(self, service: str) -> AbstractContextManager[None]:
        """Stop every process of ``service`` (SIGSTOP) during the block: it accepts connections and does not respond."""
        return frozen(self.stack, service)

    def frozen_function(self, function: str) -> AbstractContextManager[None]:
        """Stop the processes that run ``function`` (SIGSTOP) during the block."""
        return frozen(self.stack, self.internals.service_of(function))

    @contextmanager
    def in_flight(self, function: str, send: Callable[[], str]) -> Iterator[str]:
        """Yields the notification that ``send`` sends: it is published, and gets to the function after the block."""
        with ExitStack() as kept:
            with self.frozen_function(function):
                notification_id = send()
                eventually(lambda: self.delivery(notification_id)["status"] == "queued", "the message to be published")
                assert isinstance(self.internals, KeepsMessages)
                kept.enter_context(self.internals.messages_kept(function, notification_id))
            yield notification_id

    def kill(self, service: str) -> None:
        """End a service without warning (SIGKILL). What it had taken is delivered again when it is back."""
        self.stack.kill(service)
        self.internals.give_up_messages_of(service)

    def kill_and_restart(self, *functions: str) -> None:
        """Kill and restart functions. Nothing is delivered meanwhile, so that no attempt meets a closed port.

        A new instance has read no channel switches, and its circuit breakers are closed.
        """
        services = {self.internals.service_of(function) for function in functions}
        with self._nothing_delivered(services):
            for service in sorted(services):
                self.kill(service)
                self.stack.restart(service)

    def kill_while_sending(self, function: str) -> None:
        """Kill and restart a function while it sends, as if the leases of its claims had ended meanwhile.

        With the attempts and backoffs of END_TO_END_TEST, a lease holds for longer than all attempts of a message.
        """
        service = self.internals.service_of(function)
        hosted = [name for name in CHANNEL_TYPES if self.internals.service_of(name) == service]
        eventually(lambda: self._keys(hosted) & self.internals.claimed_keys(), f"{service} to be sending")
        with self._nothing_delivered({service}):
            self.stack.kill(service)
            claimed = self._keys(hosted) & self.internals.interrupted_keys()
            interrupted = [key for key in claimed if self.internals.expire_lease(key)]
            assert interrupted, f"{service} had sent everything before it was killed"
            self.internals.give_up_messages_of(service)
            self.stack.restart(service)

    def kill_server(self, server: str) -> None:
        """Kill and restart the transport's server or Postgres while deliveries are under way."""
        eventually(self.internals.claimed_keys, "deliveries to be under way")
        self.stack.kill(server)
        start_again(lambda: self.stack.restart(server))
        if server == self.internals.transport_server:
            self.internals.give_up_messages_of_all()

    @contextmanager
    def _nothing_delivered(self, services: set[str]) -> Iterator[None]:
        """Let no message reach ``services`` during the block, in which they are killed."""
        if self.internals.delivering in services:
            yield
        else:
            with self.frozen(self.internals.delivering):
                yield

    def _keys(self, channel_types: Sequence[str]) -> set[str]:
        """The ledger keys of all deliveries of ``channel_types``."""
        statement = "select delivery_id || '.' || round as key from deliveries where kind = any(%s)"
        return {row["key"] for row in self.sql(statement, list(channel_types))}

    # State behind the API.

    def sql(self, statement: str, *parameters: object) -> list[DictRow]:
        with psycopg.connect(self.stack.config.database_url, row_factory=dict_row, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description is not None else []
