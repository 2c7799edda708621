"""Publishes to RabbitMQ, and returns when RabbitMQ has stored it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aio_pika import Channel, Message
from aio_pika.exceptions import PublishError

from transport.rabbitmq_link import Link, LoopThread, close_quietly, declare
from transport.rabbitmq_topology import Declaration


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message and where it is published to; the exchange ``""`` delivers to the queue that ``routing_key`` names."""

    message: Message
    exchange: str
    routing_key: str


class Publisher:
    """One channel with confirms. One publisher is for every topic and the dead letters, another one for retries.

    Runs in its loop.

    Its connection is not that of the consumers: when RabbitMQ runs out of memory or disk space, it stops reading from
    connections that publish, and the acknowledgements of consumers must still arrive.
    """

    def __init__(self, loop: LoopThread, link: Link) -> None:
        self._loop = loop
        self._link = link
        self._channel: Channel | None = None
        self._declared: set[Declaration] = set()
        self._lock = asyncio.Lock()

    async def publish(self, needs: Declaration, messages: Sequence[Outgoing]) -> None:
        """Publish ``messages`` together; return when RabbitMQ has confirmed every one."""
        channel = await self._open(needs)
        try:
            results = await asyncio.gather(*(_publish(channel, each) for each in messages), return_exceptions=True)
        except asyncio.CancelledError:
            self._give_up(channel)  # its late confirms would be of no use
            raise
        for result in results:
            if isinstance(result, PublishError):
                self._declared.clear()  # somebody deleted a queue
            if isinstance(result, BaseException):
                raise result

    async def check(self, needs: Declaration) -> None:
        """Return when RabbitMQ has answered."""
        channel = await self._open(needs)
        await channel.get_exchange(needs.exchanges[0])

    async def _open(self, needs: Declaration) -> Channel:
        async with self._lock:
            channel = self._channel
            if channel is None or channel.is_closed:
                channel = self._channel = await self._link.channel(confirms=True)
                self._declared.clear()  # the server may have lost everything
            if needs not in self._declared:
                await declare(channel, needs)
                self._declared.add(needs)
            return channel

    def _give_up(self, channel: Channel) -> None:
        if self._channel is channel:
            self._channel = None
        self._loop.start(close_quietly(channel.close()))


async def _publish(channel: Channel, outgoing: Outgoing) -> None:
    underlay = await channel.get_underlay_channel()
    await underlay.basic_publish(
        outgoing.message.body,
        exchange=outgoing.exchange,
        routing_key=outgoing.routing_key,
        properties=outgoing.message.properties,
        mandatory=True,
    )
