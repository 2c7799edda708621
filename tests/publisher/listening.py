"""Clients of the live inbox, over both protocols, and a publisher in a process of its own."""

import json
import os
import queue
import socket
import subprocess
import sys
import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from local.processes import free_port
from local.services import PUBLISHER_OPTIONS
from publisher_api.settings import Settings
from tests.contract.inboxes import ENTRY
from tests.publisher.own_inbox import INBOX, Worker, now
from tests.publisher.topic import TIMEOUT_SECONDS, waiting_for


class Event(NamedTuple):
    """An event of either protocol. ``end``: the stream ended; over a WebSocket with the code ``id``."""

    name: str
    id: int | None
    data: dict[str, Any]

    @property
    def ids(self) -> list[str]:
        return [entry["notification_id"] for entry in self.data["entries"]]

    @property
    def counts(self) -> tuple[int, int]:
        return self.data["counts"]["unseen"], self.data["counts"]["unread"]


class Listener(ABC):
    """Reads a stream in a thread of its own."""

    def __init__(self) -> None:
        self._events: queue.Queue[Event] = queue.Queue()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
        self._thread.join()

    def next(self) -> Event:
        """The next event that is no beat."""
        while (event := self.next_or_beat()).name == "beat":
            pass
        return event

    def next_or_beat(self) -> Event:
        return self._events.get(timeout=TIMEOUT_SECONDS)

    def until(self, notification_id: str) -> Event:
        """The first event that has this notification."""
        while notification_id not in (event := self.next()).ids:
            pass
        return event

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def events(self) -> Iterator[Event]: ...

    def _run(self) -> None:
        for event in self.events():
            self._events.put(event)


class Sse(Listener):
    """Server-Sent Events. Raises ``httpx.HTTPStatusError`` if the stream is refused."""

    def __init__(
        self, url: str, token: str, last_event_id: int | None = None, *, tenant: str | None = None, **headers: str
    ) -> None:
        super().__init__()
        self._client = httpx.Client(timeout=60)
        headers |= {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = str(last_event_id)
        query = {"tenant": tenant} if tenant else {}
        request = self._client.build_request("GET", f"{url}/v1/inbox/live", params=query, headers=headers)
        self.response = self._client.send(request, stream=True)
        if self.response.is_error:
            self.response.read()
            self._client.close()
        self.response.raise_for_status()

    def events(self) -> Iterator[Event]:
        fields: dict[str, str] = {}
        try:
            for line in self.response.iter_lines():
                if line == ": beat":
                    yield Event("beat", None, {})
                elif not line and "event" in fields:
                    yield Event(
                        fields["event"], int(fields["id"]) if "id" in fields else None, json.loads(fields["data"])
                    )
                    fields = {}
                elif line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
        except (httpx.HTTPError, httpx.StreamError):
            pass
        yield Event("end", None, {})

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._client.close()

    def close(self) -> None:
        with suppress(OSError):  # the server may have closed it
            self.socket.shutdown(socket.SHUT_RDWR)

    @property
    def socket(self) -> socket.socket:
        found: socket.socket = self.response.extensions["network_stream"].get_extra_info("socket")
        return found


class Socket(Listener):
    """A WebSocket. ``hello``: its first frame, if it is not the usual one; "" sends none."""

    def __init__(
        self,
        url: str,
        token: str,
        last_event_id: int | None = None,
        *,
        tenant: str | None = None,
        hello: str | bytes | None = None,
        origin: str | None = None,
    ) -> None:
        super().__init__()
        headers = {"Origin": origin} if origin else {}
        self._connecting = connect(url.replace("http", "ws") + "/v1/inbox/live", additional_headers=headers)
        first = {"token": token, "last_event_id": last_event_id, "tenant": tenant}
        self._hello = json.dumps(first) if hello is None else hello

    def __enter__(self) -> Self:
        self.connection: ClientConnection = self._connecting.__enter__()
        if self._hello:
            self.connection.send(self._hello)
        return super().__enter__()

    def events(self) -> Iterator[Event]:
        with suppress(ConnectionClosed):
            for frame in self.connection:
                found = json.loads(frame)
                yield Event(found["event"], found.get("id"), found.get("data", {}))
        yield Event("end", self.connection.close_code, {})

    def close(self) -> None:
        self.connection.close()


Protocol = type[Sse] | type[Socket]
each_protocol = pytest.mark.parametrize("protocol", [Sse, Socket])


def put(worker: Worker, user_id: str, count: int = 1, **fields: Any) -> list[str]:
    """Put so many new entries into an inbox; returns their ids."""
    ids = [str(uuid.uuid4()) for _ in range(count)]
    for each in ids:
        worker.inbox.put(user_id, replace(ENTRY, notification_id=each, delivered_at=now(), **fields))
    return ids


@dataclass
class Process:
    """A publisher in a process of its own, as it runs in production."""

    settings: Settings
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        command = [
            sys.executable,
            "-m",
            "uvicorn",
            "publisher_api.main:app",
            "--port",
            str(self.port),
            *PUBLISHER_OPTIONS,
        ]
        environment = os.environ | {
            "DATABASE_URL": self.settings.database_url,
            "HELIOGRAPH_PROFILE": "postgres",
            "INBOX_TOKEN_SECRET": INBOX.token_secret,
            "INBOX_ORIGINS": ",".join(INBOX.origins),
        }
        with subprocess.Popen([*command, "--log-level", "warning"], env=environment) as process:
            try:
                waiting_for(self._is_ready, "the publisher to start")
                yield process
            finally:
                process.terminate()

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready").status_code == 200
        except httpx.TransportError:
            return False
