"""Clients of ``GET /v1/inbox/live`` in a process of their own, so that they do not slow the measuring process down.

``python -m bench.live_clients`` reads a ``Job`` as a line of JSON. It writes a line ``listening`` when every client has
its snapshot, and then a line for each notification: its id, and when it arrived, in Unix seconds. It ends when its
standard input is closed, so also when the measuring process ends.
"""

import asyncio
import json
import re
import subprocess
import sys
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import cast

import httptools
import uvloop
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

_PATH = "/v1/inbox/live"
_NOTIFICATION = re.compile(rb'"notification_id":"([^"]+)"')
_OK = 200
_CONNECTING_AT_ONCE = 50
_READY_SECONDS = 180.0
_WRITES_EVERY_SECONDS = 0.02


class Wire(StrEnum):
    """The protocols of the live inbox."""

    SSE = "SSE"
    WEBSOCKET = "WebSocket"


@dataclass(frozen=True, slots=True)
class Job:
    """One client for each of ``tokens``."""

    host: str
    port: int
    wire: Wire
    tokens: list[str]


class _Client(asyncio.Protocol):
    """``ready`` is done at the first event, and fails if the connection is refused or ends."""

    def __init__(self, job: Job, token: str, arrived: Callable[[str], None]) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._host = f"{job.host}:{job.port}"
        self._token = token
        self._arrived = arrived

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self.greet()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(error or ConnectionError("the publisher closed the connection"))

    def take(self, event: bytes) -> None:
        """The text of an event, without its frame."""
        if not self.ready.done():
            self.ready.set_result(None)
        for found in _NOTIFICATION.findall(event):
            self._arrived(found.decode())

    @abstractmethod
    def greet(self) -> None: ...


class _Sse(_Client):
    def greet(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._text = b""
        lines = f"Host: {self._host}\r\nAuthorization: Bearer {self._token}\r\nAccept: text/event-stream\r\n"
        self._transport.write(f"GET {_PATH} HTTP/1.1\r\n{lines}\r\n".encode())

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_headers_complete(self) -> None:
        if (status := self._parser.get_status_code()) != _OK:
            self.ready.set_exception(ConnectionError(f"the publisher responded with {status}"))

    def on_body(self, body: bytes) -> None:
        *events, self._text = (self._text + body).split(b"\n\n")
        for event in events:
            if not event.startswith(b"retry:"):
                self.take(event)


class _WebSocket(_Client):
    def greet(self) -> None:
        # Browsers offer to compress as well.
        offers = [ClientPerMessageDeflateFactory(client_max_window_bits=True)]
        self._protocol = ClientProtocol(parse_uri(f"ws://{self._host}{_PATH}"), extensions=offers)
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Response):
                if self._protocol.handshake_exc is None:
                    self._protocol.send_text(json.dumps({"token": self._token}).encode())
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self.take(bytes(event.data))
        if self._protocol.close_code is not None and not self.ready.done():
            self.ready.set_exception(ConnectionError(f"the publisher closed with {self._protocol.close_code}"))
        self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)


_CLIENTS: dict[Wire, type[_Client]] = {Wire.SSE: _Sse, Wire.WEBSOCKET: _WebSocket}


async def _run(job: Job) -> None:
    lines: list[str] = []
    loop, connecting, ended = asyncio.get_running_loop(), asyncio.Semaphore(_CONNECTING_AT_ONCE), asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)  # nothing but its end follows

    def arrived(notification_id: str) -> None:
        lines.append(f"{notification_id} {time.time()}\n")

    async def connect(token: str) -> None:
        async with connecting:
            _, client = await loop.create_connection(
                lambda: _CLIENTS[job.wire](job, token, arrived), job.host, job.port
            )
            await client.ready

    await asyncio.gather(*(connect(token) for token in job.tokens))
    lines[:] = ["listening\n"]  # what came before is in the snapshots
    while not ended.is_set():
        if lines:
            sys.stdout.write("".join(lines))
            sys.stdout.flush()
            lines.clear()
        await asyncio.sleep(_WRITES_EVERY_SECONDS)


@contextmanager
def listening(
    url: str, wire: Wire, tokens: Sequence[str], arrived: Callable[[str, float], object]
) -> Iterator[subprocess.Popen[str]]:
    """Listen with one client for each token during the block, which begins when each has its snapshot.

    Calls ``arrived`` in a thread, with the id of each notification and when it came, in Unix seconds. Raises
    ``ConnectionError``. Yields the process of the clients.
    """
    host, _, port = url.removeprefix("http://").partition(":")
    command = [sys.executable, "-m", "bench.live_clients"]
    # In a session of its own, Ctrl-C does not reach it: it ends with the block.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the process of the clients has no pipes")
        lines, are_listening = process.stdout, threading.Event()

        def read() -> None:
            for line in lines:
                if line == "listening\n":
                    are_listening.set()
                else:
                    notification_id, at = line.split()
                    arrived(notification_id, float(at))
            are_listening.set()  # also if they failed, so that the block does not wait for them

        reading = threading.Thread(target=read, daemon=True)
        reading.start()
        try:
            process.stdin.write(json.dumps(asdict(Job(host, int(port), wire, list(tokens)))) + "\n")
            process.stdin.flush()
            if not are_listening.wait(_READY_SECONDS) or process.poll() is not None:
                raise ConnectionError(f"The clients over {wire} did not all get a snapshot. Their error is above.")
            yield process
        finally:
            process.stdin.close()
            process.wait()
            reading.join()


if __name__ == "__main__":
    uvloop.run(_run(Job(**json.loads(sys.stdin.readline()))))
