"""A subscription in RabbitMQ, as a worker sees it."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from aio_pika import Channel
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from shared.topology import Subscription
from transport import rabbitmq_messages
from transport.port import Taken, TransportError
from transport.rabbitmq_link import Link, LoopThread, close_quietly, declare
from transport.rabbitmq_publisher import Outgoing, Publisher
from transport.rabbitmq_topology import (
    Declaration,
    declaration_of_subscription,
    retry_queue,
    retry_queues,
    retry_seconds,
    routing_key,
)


class _Held:
    """A message that RabbitMQ delivered to us. It is settled once; RabbitMQ takes it back when its channel ends."""

    def __init__(self, message: AbstractIncomingMessage) -> None:
        self.message = message
        self.deadline: asyncio.TimerHandle | None = None
        self._settled = False

    @property
    def is_ours(self) -> bool:
        """Whether this message can still be settled, so that it was not delivered again."""
        try:
            return not self._settled and not self.message.channel.is_closed
        except CONNECTION_EXCEPTIONS:
            return False

    async def ack(self) -> None:
        """The message is done. Does nothing if it is not ours any more."""
        await self._settle(self.message.ack)

    async def give_back(self) -> None:
        """Let RabbitMQ deliver the message again, as one attempt more."""
        await self._settle(lambda: self.message.reject(requeue=True))

    async def _settle(self, settle: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if self.is_ours:
            self._settled = True
            if self.deadline is not None:
                self.deadline.cancel()
            with suppress(*CONNECTION_EXCEPTIONS):  # RabbitMQ delivers it again
                await settle()


class RabbitmqQueue:
    """One subscription (``transport.port.Queue``). The mark of a taken message is a ``_Held``.

    RabbitMQ pushes messages, and never has more of them unsettled here than the subscription's ``concurrency``. A
    worker has as many threads, so no message waits here for a thread while another worker has a free one.
    """

    def __init__(
        self, loop: LoopThread, link: Link, publisher: Publisher, retries: Publisher, subscription: Subscription
    ) -> None:
        self._loop = loop
        self._link = link
        self._publisher = publisher
        self._retries = retries
        self._subscription = subscription
        self._needs = declaration_of_subscription(subscription)
        self._channel: Channel | None = None
        self._opening = asyncio.Lock()
        self._changed = threading.Condition()
        self._waiting: deque[_Held] = deque()
        self._woken = False

    def take(self, limit: int, wait_seconds: float) -> list[Taken]:
        if self._is_lost():
            self._loop.run(self._consume())
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._woken or self._is_lost(), wait_seconds)
            self._woken = False
            held = [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]
        self._loop.soon(lambda: self._set_deadlines(held))
        return [Taken(rabbitmq_messages.received(each.message, self._subscription), each) for each in held]

    def wake(self) -> None:
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def done(self, taken: Sequence[Taken]) -> None:
        self._loop.run(_ack([each.mark for each in taken]))

    def again(self, taken: Taken, after_seconds: float) -> None:
        """Publish a copy into the queue that waits, then acknowledge: the message may be there twice, but never not.

        If the copy cannot be published, the message waits here. With the deadline instead, it would take a place of
        this consumer for longer: after a restart of RabbitMQ, consumers may be connected before the publisher is.
        """
        queue = retry_queue(self._subscription, retry_seconds(after_seconds))
        needs = Declaration(self._needs.exchanges, (*self._needs.queues, queue))
        copy = rabbitmq_messages.again(taken.mark.message)
        try:
            self._loop.run(_move(taken.mark, self._retries, needs, [Outgoing(copy, "", queue.name)]))
        except TransportError:
            self._loop.soon(lambda: self._give_back_after(taken.mark, after_seconds))
            raise

    def bury(self, taken: Taken) -> None:
        """Publish a copy to the dead letters, then acknowledge. Without dead letters, the message ends here."""
        held: _Held = taken.mark
        copies = []
        if dead_letters := self._subscription.dead_letters:
            copy = rabbitmq_messages.dead(held.message, rabbitmq_messages.attempt(held.message))
            copies = [Outgoing(copy, dead_letters.topic, routing_key(taken.received.attributes))]
        self._loop.run(_move(held, self._publisher, self._needs, copies))

    def close(self) -> None:
        """RabbitMQ delivers again what is not settled."""
        with suppress(TransportError):
            self._loop.run(self._close())

    def _is_lost(self) -> bool:
        channel = self._channel  # read once: the loop's thread sets it to None
        return channel is None or channel.is_closed

    async def _consume(self) -> None:
        async with self._opening:
            if not self._is_lost():
                return
            channel = await self._link.channel(confirms=False)
            channel.close_callbacks.add(self._forget)
            try:
                await self._consume_on(channel)
            except BaseException:
                await close_quietly(channel.close())
                raise

    async def _consume_on(self, channel: Channel) -> None:
        # The queues that wait are created now, and not when the first message must wait: RabbitMQ 3.10 can never use a
        # quorum queue that was being created when it was killed.
        waits = retry_queues(self._subscription)
        await declare(channel, Declaration(self._needs.exchanges, (*self._needs.queues, *waits)))
        await channel.set_qos(self._subscription.concurrency)
        underlay = await channel.get_underlay_channel()
        # RabbitMQ ends a consumer when its queue is deleted. The next channel declares the queue again.
        underlay.on_consumer_cancel_callbacks.add(lambda _: self._loop.start(close_quietly(channel.close())))
        queue = await channel.get_queue(self._subscription.name, ensure=False)
        with self._changed:
            self._channel = channel
            self._waiting.clear()  # of the channel before
        await queue.consume(self._arrived)

    async def _arrived(self, message: AbstractIncomingMessage) -> None:
        with self._changed:
            self._waiting.append(_Held(message))
            self._changed.notify_all()

    def _forget(self, ended: object, _cause: BaseException | None) -> None:
        """RabbitMQ delivers again what was not settled on the channel. The next ``take`` opens another one."""
        with self._changed:
            if self._channel is ended:
                self._channel = None
                self._waiting.clear()
                self._changed.notify_all()

    def _set_deadlines(self, held: Sequence[_Held]) -> None:
        """Give each back at the subscription's deadline: a process that lives may have lost it all the same."""
        for each in held:
            self._give_back_after(each, self._subscription.ack_deadline_seconds)

    def _give_back_after(self, held: _Held, seconds: float) -> None:
        """Give the message back after ``seconds``, or at its deadline if that is earlier. In the loop's thread."""
        if held.is_ours:
            if held.deadline is not None:
                held.deadline.cancel()
            held.deadline = self._loop.later(min(seconds, self._subscription.ack_deadline_seconds), held.give_back)

    async def _close(self) -> None:
        channel = self._channel
        if channel is not None:
            await close_quietly(channel.close())


async def _move(held: _Held, publisher: Publisher, needs: Declaration, copies: Sequence[Outgoing]) -> None:
    if held.is_ours:
        await publisher.publish(needs, copies)
        await held.ack()


async def _ack(held: Sequence[_Held]) -> None:
    for each in held:
        await each.ack()
