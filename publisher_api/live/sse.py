"""A stream as Server-Sent Events. The client reads it with ``fetch``, since ``EventSource`` sends no token."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi.responses import StreamingResponse
from starlette.types import Send

from publisher_api.live.events import Event
from shared.log_events import LogEvent
from shared.logs import EventLogger

RETRY = b"retry: 1000\n\n"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # a proxy must neither keep nor collect events
_log = EventLogger(__name__)


class EventStream(StreamingResponse):
    """Sends ``first``, then ``events``. Gives a reader up that takes nothing for ``blocked_seconds``."""

    media_type = "text/event-stream"

    def __init__(self, first: Event, events: AsyncGenerator[Event], blocked_seconds: float) -> None:
        super().__init__((), headers=_HEADERS)  # stream_response sends the events
        self._first = first
        self._events = events
        self._blocked_seconds = blocked_seconds

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._events) as events:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            try:
                await self._send(send, RETRY + encode(self._first))
                async for event in events:
                    await self._send(send, encode(event))
                await self._send(send, b"", more=False)
            except TimeoutError:  # without an end, the server closes the connection
                _log.warning(LogEvent.INBOX_READER_BLOCKED)

    async def _send(self, send: Send, body: bytes, *, more: bool = True) -> None:
        async with asyncio.timeout(self._blocked_seconds):
            await send({"type": "http.response.body", "body": body, "more_body": more})


def encode(event: Event) -> bytes:
    """The event as text of an event stream. A beat is a comment, which clients skip."""
    if event.name == "beat":
        return b": beat\n\n"
    id_line = "" if event.version is None else f"id: {event.version}\n"
    return f"event: {event.name}\n{id_line}data: {event.data or '{}'}\n\n".encode()
