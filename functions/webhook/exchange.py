"""One HTTP exchange with a receiver that we do not trust. It ends at a deadline, whatever the receiver does."""

import contextlib
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import httpx

from functions.webhook.alarms import Alarms

_CONNECTED = "connection.connect_tcp.complete"
_ALARMS = Alarms("webhook-deadlines")


class Answer(NamedTuple):
    """The answer to one request. ``body`` is what was read of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Deadline:
    """Shuts the connections of an exchange down after ``seconds``.

    The timeouts of an HTTP client apply to each read and write alone, so that a receiver which sends one byte every few
    seconds, or takes one, would hold a thread without end.
    """

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []

    @property
    def seconds_left(self) -> float:
        """The seconds until the deadline; 0 after it."""
        return max(0.0, self._ends_at - time.monotonic())

    def watch(self, event: str, info: dict[str, Any]) -> None:
        """Keep the connection that was made. httpcore calls this (``extensions["trace"]``) for each step."""
        if event == _CONNECTED:
            # A duplicate stays valid when TLS takes the socket over, and shuts the same connection down.
            connection: socket.socket = info["return_value"].get_extra_info("socket").dup()
            with self._lock:
                self._connections.append(connection)
                if not self.seconds_left:
                    _shut_down(connection)

    def __enter__(self) -> Self:
        self._alarm = _ALARMS.set(self._ends_at, self._shut_down)
        return self

    def __exit__(self, *_: object) -> None:
        self._alarm.cancel()
        with self._lock:
            while self._connections:
                self._connections.pop().close()

    def _shut_down(self) -> None:
        with self._lock:
            for connection in self._connections:
                _shut_down(connection)


def answer_to(
    transport: httpx.BaseTransport,
    request: httpx.Request,
    addresses: Sequence[str],
    deadline: Deadline,
    connect_seconds: float,
    max_bytes: int = 0,
) -> Answer:
    """Send ``request`` to the first address that takes a connection; return the answer with ``max_bytes`` of its body.

    The URL's host becomes the address; ``Host`` and certificate remain those of the name. Raises
    ``httpx.TransportError``, also at the deadline.
    """
    url = request.url
    for address in addresses[:-1]:
        request.url = url.copy_with(host=address)
        with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
            return _answer(transport, request, deadline, connect_seconds, max_bytes)
    request.url = url.copy_with(host=addresses[-1])
    return _answer(transport, request, deadline, connect_seconds, max_bytes)


def _answer(
    transport: httpx.BaseTransport, request: httpx.Request, deadline: Deadline, connect_seconds: float, max_bytes: int
) -> Answer:
    left = deadline.seconds_left
    if not left:
        raise httpx.ConnectTimeout("The deadline passed before a connection was made.")
    timeout = httpx.Timeout(left, connect=min(left, connect_seconds))
    request.extensions |= {"timeout": timeout.as_dict(), "trace": deadline.watch}
    # A client would keep the receivers' cookies without end, and parse where a redirect leads.
    response = transport.handle_request(request)
    try:
        return Answer(response.status_code, response.headers, _beginning(response, max_bytes))
    finally:
        response.close()


def _beginning(response: httpx.Response, max_bytes: int) -> bytes:
    """What arrives of the body, which could be endless. The status is known, so a broken connection is no error."""
    body = bytearray()
    if max_bytes:
        with contextlib.suppress(httpx.TransportError):
            for part in response.iter_raw():
                body += part
                if len(body) >= max_bytes:
                    break
    return bytes(body[:max_bytes])


def _shut_down(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the receiver has closed it
        connection.shutdown(socket.SHUT_RDWR)
