"""uvicorn's connections, which do not let a client delay the stop of a publisher.

uvicorn closes a connection when everything was sent. A client that reads nothing would delay that for the whole
``--timeout-graceful-shutdown``, which is as long as a request may take. An application cannot reach its connection, so
uvicorn is told to use these: ``--http publisher_api.hosting.server:HttpConnection``, and ``--ws …:SocketConnection``.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_BLOCKED_SECONDS = 3.0


class HttpConnection(HttpToolsProtocol):
    """A connection that ends soon after a stop if its client takes nothing."""

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
