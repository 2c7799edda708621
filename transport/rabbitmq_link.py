"""Connections to RabbitMQ on an event loop in a thread of its own, for callers that have no event loop."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from aio_pika import Channel, RobustConnection
from aio_pika.exceptions import (
    CONNECTION_EXCEPTIONS,
    AuthenticationError,
    ChannelPreconditionFailed,
    DeliveryError,
    ProbableAuthenticationError,
    PublishError,
)
from yarl import URL

from transport import port
from transport.port import TransportError
from transport.rabbitmq_topology import Declaration

T = TypeVar("T")
SECONDS = 5.0
"""How long a call may take."""
_CONNECT_SECONDS = 3.0
_RECONNECT_SECONDS = 1.0
_HEARTBEAT_SECONDS = 15
_CLOSE_SECONDS = 2.0
_ERRORS = (*CONNECTION_EXCEPTIONS, TimeoutError, asyncio.CancelledError)
_REFUSED = (AuthenticationError, ProbableAuthenticationError)


class LoopThread:
    """An event loop in a thread. Coroutines run in it; callers wait for their results."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rabbitmq", daemon=True)
        self._thread.start()
        self._background: set[asyncio.Task[None]] = set()

    def run(self, work: Coroutine[Any, Any, T], error: type[TransportError] = TransportError) -> T:
        """The result of ``work``. Raises ``error`` if RabbitMQ cannot do it, or needs longer than ``SECONDS``."""
        if self._loop.is_closed():
            work.close()
            raise error("The transport is closed.")
        future = asyncio.run_coroutine_threadsafe(_within_time(work, error), self._loop)
        try:
            return future.result(2 * SECONDS)
        except TimeoutError:  # the loop was closed meanwhile
            raise error("The transport did not answer.") from None

    def soon(self, work: Callable[[], None]) -> None:
        """Call ``work`` in the loop's thread. Does nothing after ``close``."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(work)

    def later(self, seconds: float, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.TimerHandle:
        """Start ``work`` after ``seconds``. Call this in the loop's thread."""
        return self._loop.call_later(seconds, lambda: self.start(work()))

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Start ``work``; no one waits for it, and errors of the connection do not matter. In the loop's thread."""
        task = self._loop.create_task(_whatever_happens(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def close(self) -> None:
        """Cancel what still runs, and end the thread."""
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


class Link:
    """One connection, made at the first use and restored when it was lost. Belongs to its loop.

    The channels are not restored: the code that opened one opens the next, and declares on it what it needs.
    """

    def __init__(self, url: str, name: str) -> None:
        given = URL(url)
        self._url = given if "heartbeat" in given.query else given.update_query(heartbeat=_HEARTBEAT_SECONDS)
        self._properties = {"connection_name": f"heliograph {name}"}
        self._connection: RobustConnection | None = None
        self._lock = asyncio.Lock()

    async def channel(self, *, confirms: bool) -> Channel:
        """A new channel. With ``confirms``, publishing waits for RabbitMQ, and an unroutable message is an error."""
        async with self._lock:
            connection = self._connection = self._connection or await self._connect()
        if not connection.connected.is_set():
            raise ConnectionError("The connection was lost, and could not be restored yet.")
        channel = Channel(connection, publisher_confirms=confirms, on_return_raises=confirms)
        await channel.initialize()
        return channel

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await close_quietly(connection.close())

    async def _connect(self) -> RobustConnection:
        connection = RobustConnection(
            self._url, client_properties=self._properties, reconnect_interval=_RECONNECT_SECONDS
        )
        try:
            await connection.connect(timeout=_CONNECT_SECONDS)
        except BaseException:
            await close_quietly(connection.close())
            raise
        return connection


async def declare(channel: Channel, declaration: Declaration) -> None:
    """Create what ``declaration`` names and does not exist. Raises ``ChannelPreconditionFailed`` if it is different."""
    for exchange in declaration.exchanges:
        await channel.declare_exchange(exchange, "topic", durable=True)
    for wanted in declaration.queues:
        queue = await channel.declare_queue(wanted.name, durable=True, arguments=dict(wanted.arguments))
        if wanted.exchange:
            await queue.bind(wanted.exchange, wanted.pattern)


async def close_quietly(closing: Coroutine[Any, Any, None]) -> None:
    """Close a channel or a connection that may be broken already."""
    with suppress(*_ERRORS):
        await asyncio.wait_for(closing, _CLOSE_SECONDS)


async def _within_time(work: Coroutine[Any, Any, T], error: type[TransportError]) -> T:
    try:
        return await asyncio.wait_for(work, SECONDS)
    except _ERRORS as cause:
        kind = port.PublishRefused if error is port.PublishError and isinstance(cause, _REFUSED) else error
        raise kind(_text(cause)) from cause


async def _whatever_happens(work: Coroutine[Any, Any, None]) -> None:
    with suppress(*_ERRORS):
        await work


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _text(cause: BaseException) -> str:
    """What went wrong, and what to do where that is known."""
    match cause:
        case ChannelPreconditionFailed():
            return (
                "RabbitMQ has an exchange or a queue of this name that was declared differently. Let its messages be"
                f" handled, delete it, and start again. RabbitMQ says: {cause}"
            )
        case PublishError():
            return (
                "RabbitMQ has no queue for a message whose channel type has a subscription. The next call creates it."
            )
        case DeliveryError():
            return "RabbitMQ refused a message: its queue is full or not available."
        case TimeoutError():
            return f"RabbitMQ did not answer within {SECONDS:g} s."
        case asyncio.CancelledError():
            return "The connection was closed."
        case _:
            return f"{type(cause).__name__}: {cause}"
