"""uvicorn's connections, for clients that are gone or read nothing.

An application cannot reach its connection, so uvicorn runs with these:
``--http publisher_api.hosting.server:HttpConnection``, and ``--ws publisher_api.hosting.server:SocketConnection``.

They do not let a client delay the stop of a publisher. uvicorn closes a connection when everything was sent. A client
that reads nothing would delay that for all of ``--timeout-graceful-shutdown``, which is as long as a request may take.

They notice within a minute that a client is gone. The kernel repeats what is not acknowledged for a quarter of an hour,
and a stream of a client that changed its network would take one of the user's places for so long.
"""

import asyncio
import socket

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_BLOCKED_SECONDS = 3.0
_TCP_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux has it


class HttpConnection(HttpToolsProtocol):
    """A connection that ends if its client takes nothing of what was sent for ``gone_seconds``, and soon after a stop.

    A WebSocket begins as such a connection, and keeps the socket.
    """

    gone_seconds = 60

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]  # uvicorn expects the same
        connection = transport.get_extra_info("socket")
        if _TCP_USER_TIMEOUT is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, _TCP_USER_TIMEOUT, 1000 * self.gone_seconds)

    def shutdown(self) -> None:
        super().shutdown()
        _abort_if_blocked(self.loop, self.transport)


class SocketConnection(WebSocketsSansIOProtocol):
    """A WebSocket that ends soon after a stop if its client takes nothing."""

    def shutdown(self) -> None:
        super().shutdown()
        _abort_if_blocked(self.loop, self.transport)


def _abort_if_blocked(loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
    """Look again and again until ``transport`` is closed, and drop what is unsent when the client took none of it."""
    unsent = transport.get_write_buffer_size()

    def look() -> None:
        if 0 < unsent <= transport.get_write_buffer_size():
            transport.abort()
        elif not transport.is_closing() or transport.get_write_buffer_size():
            _abort_if_blocked(loop, transport)

    loop.call_later(_BLOCKED_SECONDS, look)
