"""A stream over a WebSocket. Its first frame has the token, because a browser sets no header of a WebSocket."""

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing, suppress
from typing import Annotated, Any

import msgspec
import psycopg
from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from publisher_api.live.events import Event
from publisher_api.live.hub import Hub
from publisher_api.live.stream import changes
from publisher_api.refusal import Refusal, RefusalCode
from publisher_api.web.inbox_tokens import InboxTokens, InboxUser
from shared.log_events import LogEvent
from shared.logs import EventLogger

BAD_HELLO, BAD_TOKEN = 4400, 4401
RESTARTING, TRY_LATER = 1012, 1013
_log = EventLogger(__name__)


class Hello(msgspec.Struct, frozen=True):
    """The client's first frame. With ``tenant``, only its entries are sent and counted."""

    token: str
    last_event_id: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    tenant: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None


_hello = msgspec.json.Decoder(Hello)


class _Closing(Exception):
    """The connection must be closed with ``code``."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def serve(websocket: WebSocket, hub: Hub, tokens: InboxTokens) -> None:
    """Send the changes of an inbox until the client leaves, the token expires, or the hub ends."""
    await websocket.accept()
    try:
        try:
            user, hello = await _greet(websocket, hub.limits.hello, tokens)
            await _while_connected(websocket, _send_all(websocket, hub, user, hello))
        except _Closing as closing:
            await _close(websocket, closing, hub.limits.blocked)
    except TimeoutError:  # without a close frame, the server ends the connection
        _log.warning(LogEvent.INBOX_READER_BLOCKED)
    except WebSocketDisconnect:
        pass


async def _close(websocket: WebSocket, closing: _Closing, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        with suppress(RuntimeError):  # the server closed it first
            await websocket.close(closing.code, closing.reason)


async def _greet(websocket: WebSocket, seconds: float, tokens: InboxTokens) -> tuple[InboxUser, Hello]:
    try:
        async with asyncio.timeout(seconds):
            hello = _hello.decode(await websocket.receive_text())
        user = await tokens.user(hello.token)
    except TimeoutError:
        raise _Closing(BAD_HELLO, f"No first frame arrived within {seconds:g} s.") from None
    except (msgspec.DecodeError, KeyError):  # KeyError: a frame of bytes
        raise _Closing(BAD_HELLO, 'The first frame must be {"token": "…", "last_event_id": number or null}.') from None
    except Refusal as refusal:
        if refusal.code in (RefusalCode.UNAUTHORIZED, RefusalCode.CREDENTIAL_EXPIRED):
            raise _Closing(BAD_TOKEN, "The inbox token is not valid.") from None
        raise _Closing(TRY_LATER, "The inbox token cannot be checked.") from None
    return user, hello


async def _send_all(websocket: WebSocket, hub: Hub, user: InboxUser, hello: Hello) -> None:
    try:
        async with aclosing(changes(hub, user, hello.tenant, hello.last_event_id)) as events:
            async for event in events:
                if event.name == "expired":
                    raise _Closing(BAD_TOKEN, "The inbox token has expired.")
                async with asyncio.timeout(hub.limits.blocked):
                    await websocket.send_text(encode(event))
    except psycopg.OperationalError:
        raise _Closing(TRY_LATER, "Postgres is unavailable.") from None
    except Refusal as refusal:
        raise _Closing(TRY_LATER, refusal.detail) from None
    raise _Closing(RESTARTING, "The publisher stops. Connect again.")


async def _while_connected(websocket: WebSocket, sending: Coroutine[Any, Any, None]) -> None:
    """Run ``sending`` until it ends or the client leaves. What the client sends meanwhile is ignored."""
    tasks = [asyncio.ensure_future(sending), asyncio.ensure_future(_until_disconnect(websocket))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def _until_disconnect(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


def encode(event: Event) -> str:
    """The event as a frame."""
    if event.name == "beat":
        return '{"event":"beat"}'
    return f'{{"event":"{event.name}","id":{event.version},"data":{event.data}}}'
