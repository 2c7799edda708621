"""A RabbitMQ under test: killed, frozen, started again, and changed behind the transport's back."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self, TypeVar

import aio_pika
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelNotFoundEntity

from local.processes import Child
from local.rabbitmq_server import PROGRAM, READY_SECONDS, RabbitmqServer
from tests.contract.transports import notifications
from transport.port import Encoded, Queue, Taken, TransportError
from transport.rabbitmq import RabbitmqTransport

T = TypeVar("T")
TIMEOUT_SECONDS = 20.0


class Rabbitmq:
    """A server and its processes."""

    def __init__(self, server: RabbitmqServer) -> None:
        self.url = server.url
        self._server = server
        self._running: list[Child] = []

    @contextmanager
    def running(self) -> Iterator[Self]:
        epmd = self._server.start_epmd()
        try:
            epmd.wait_ready(self._server.epmd_ready, READY_SECONDS)
            self.start()
            yield self
        finally:
            for child in self._running:
                child.stop()
            epmd.stop()

    @property
    def _child(self) -> Child:
        (child,) = self._running
        return child

    def connect(self) -> RabbitmqTransport:
        return RabbitmqTransport(self.url)

    def start(self) -> None:
        self._running = [self._server.start()]
        self._child.wait_ready(self._server.ready, READY_SECONDS)

    def kill(self) -> None:
        self._child.kill()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The server keeps its connections during the block, and answers nothing."""
        os.killpg(self._child.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._child.process.pid, signal.SIGCONT)

    @contextmanager
    def suspended(self, name: str) -> Iterator[None]:
        """The queue ``name`` answers nothing during the block; all others work."""
        self._evaluate(f'sys:suspend(list_to_atom("%2F_{name}")).')
        try:
            yield
        finally:
            self._evaluate(f'sys:resume(list_to_atom("%2F_{name}")).')

    def _evaluate(self, expression: str) -> None:
        """Evaluate Erlang in the server."""
        environment = {**os.environ, **self._server.environment}
        subprocess.run([PROGRAM.with_name("rabbitmqctl"), "eval", expression], env=environment, check=True)

    def do(self, work: Callable[[AbstractChannel], Awaitable[T]]) -> T:
        """The result of ``work`` on a channel of a connection of its own."""
        return do(self.url, work)

    def purge(self, name: str) -> None:
        """Remove the messages of the queue ``name``, if it exists."""
        with suppress(ChannelNotFoundEntity):
            self.do(lambda channel: purged(channel, name))

    def delete_queue(self, name: str) -> None:
        self.do(lambda channel: channel.queue_delete(name))

    def messages_in(self, name: str) -> int:
        """How many messages the queue ``name`` has ready."""
        return messages_in(self.url, name)


def do(url: str, work: Callable[[AbstractChannel], Awaitable[T]]) -> T:
    """The result of ``work`` on a channel of a connection of its own to the server at ``url``."""

    async def connected() -> T:
        async with await aio_pika.connect(url) as connection, connection.channel() as channel:
            return await work(channel)

    return asyncio.run(connected())


def messages_in(url: str, name: str) -> int:
    """How many messages the queue ``name`` of the server at ``url`` has ready."""

    async def count(channel: AbstractChannel) -> int:
        queue = await channel.declare_queue(name, passive=True)
        return queue.declaration_result.message_count or 0

    return do(url, count)


async def purged(channel: AbstractChannel, name: str) -> None:
    queue = await channel.get_queue(name)
    await queue.purge()


def publish(transport: RabbitmqTransport, *bodies: str, channel: str = "sms") -> None:
    messages = [Encoded(body.encode(), {"channel": channel}) for body in bodies]
    assert [each for batch in notifications(transport).publish(messages) for each in batch] == messages


def next_from(queue: Queue) -> Taken:
    """The next message. Tries again while the transport connects again."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        try:
            if taken := queue.take(1, 1.0):
                return taken[0]
        except TransportError:
            time.sleep(0.1)
    raise AssertionError("no message came")


def attempts_of(queue: Queue, body: bytes) -> int | None:
    taken = next_from(queue)
    queue.done([taken])
    assert taken.received.data == body
    return taken.received.attempt
