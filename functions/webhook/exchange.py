"""One HTTP exchange with a receiver that we do not trust. It ends at a deadline, whatever the receiver does."""

import contextlib
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any, Self

import httpx

from functions.webhook.alarms import Alarms

_CONNECTED = "connection.connect_tcp.complete"
_ALARMS = Alarms("webhook-deadlines")


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


def status_of(
    transport: httpx.BaseTransport,
    request: httpx.Request,
    addresses: Sequence[str],
    deadline: Deadline,
    connect_seconds: float,
) -> int:
    """Send ``request`` to the first address that takes a connection; return the status of the response.

    The URL's host becomes the address; ``Host`` and certificate remain those of the name. Raises
    ``httpx.TransportError``, also at the deadline.
    """
    url = request.url
    for address in addresses[:-1]:
        request.url = url.copy_with(host=address)
        with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
            return _status(transport, request, deadline, connect_seconds)
    request.url = url.copy_with(host=addresses[-1])
    return _status(transport, request, deadline, connect_seconds)


def _status(transport: httpx.BaseTransport, request: httpx.Request, deadline: Deadline, connect_seconds: float) -> int:
    left = deadline.seconds_left
    if not left:
        raise httpx.ConnectTimeout("The deadline passed before a connection was made.")
    timeout = httpx.Timeout(left, connect=min(left, connect_seconds))
    request.extensions |= {"timeout": timeout.as_dict(), "trace": deadline.watch}
    # A client would keep the receivers' cookies without end, and parse where a redirect leads.
    response = transport.handle_request(request)
    response.close()  # unread: we do not need the response's body, and it could be endless
    return response.status_code


def _shut_down(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the receiver has closed it
        connection.shutdown(socket.SHUT_RDWR)
