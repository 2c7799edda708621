"""RabbitMQ as a transport: a topic exchange for each topic, and a quorum queue for each subscription.

A message is published when RabbitMQ has confirmed it, persistently and to a majority of its nodes. What a worker takes
and does not settle is delivered again at the subscription's deadline, or at once when the worker's connection ends.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Generic

from yarl import URL

from postgres.pool import Pool
from shared.errors import ConfigurationError
from shared.topology import Subscription, subscriptions_to
from transport import rabbitmq_messages
from transport.batches import encoded_batches
from transport.port import Encoded, M, PublishError, TransportError
from transport.rabbitmq_link import Link, LoopThread
from transport.rabbitmq_publisher import Outgoing, Publisher
from transport.rabbitmq_queue import RabbitmqQueue
from transport.rabbitmq_topology import declaration_of_topic, routing_key

VARIABLE = "AMQP_URL"
_SCHEMES = ("amqp", "amqps")


class RabbitmqTopic(Generic[M]):
    """One topic. RabbitMQ copies each message into the queue of every subscription whose pattern it matches."""

    def __init__(self, loop: LoopThread, publisher: Publisher, name: str, encode: Callable[[M], Encoded]) -> None:
        self._loop = loop
        self._publisher = publisher
        self._name = name
        self._encode = encode
        self._needs = declaration_of_topic(name)
        self._subscriptions = subscriptions_to(name)

    def publish(self, messages: Sequence[M]) -> Iterator[list[M]]:
        """Publish in batches; yield each when all of it is confirmed. Raises ``PublishError``."""
        for batch in encoded_batches(messages, self._encode):
            outgoing = [
                Outgoing(
                    rabbitmq_messages.first(encoded, uuid.uuid4().hex), self._name, routing_key(encoded.attributes)
                )
                for _, encoded in batch
                if self._is_wanted(encoded)
            ]
            if outgoing:
                self._loop.run(self._publisher.publish(self._needs, outgoing), PublishError)
            yield [message for message, _ in batch]

    def check(self) -> None:
        """Raises ``PublishError`` when RabbitMQ cannot be reached."""
        self._loop.run(self._publisher.check(self._needs), PublishError)

    def close(self) -> None:
        """The connection belongs to the transport."""

    def _is_wanted(self, encoded: Encoded) -> bool:
        """Whether a subscription gets the message. RabbitMQ would return any other one, and that is an error."""
        return any(subscription.gets(encoded.attributes) for subscription in self._subscriptions)


class RabbitmqTransport:
    """The transport over the RabbitMQ at ``url``: one connection publishes, another one consumes."""

    def __init__(self, url: str) -> None:
        self._loop = LoopThread()
        self._publishing = Link(url, "publisher")
        self._consuming = Link(url, "consumer")
        self._publisher = Publisher(self._loop, self._publishing)
        # A channel of its own: a queue that does not answer blocks the channel that publishes to it.
        self._retries = Publisher(self._loop, self._publishing)

    def topic(self, name: str, encode: Callable[[M], Encoded]) -> RabbitmqTopic[M]:
        return RabbitmqTopic(self._loop, self._publisher, name, encode)

    def queue(self, subscription: Subscription) -> RabbitmqQueue:
        return RabbitmqQueue(self._loop, self._consuming, self._publisher, self._retries, subscription)

    def epoch(self) -> None:
        """None: a quorum queue is as durable as its disks, and a confirmed message is on them."""

    def close(self) -> None:
        for link in (self._consuming, self._publishing):
            with suppress(TransportError):
                self._loop.run(link.close())
        self._loop.close()


def connect(environ: Mapping[str, str], _pool: Pool) -> RabbitmqTransport:
    """The transport. It connects at its first use. Raises ``ConfigurationError`` without a usable AMQP_URL."""
    return RabbitmqTransport(address(environ))


def address(environ: Mapping[str, str]) -> str:
    """The value of AMQP_URL. Raises ``ConfigurationError`` without the value, which may hold a password."""
    given = environ.get(VARIABLE, "")
    if not given:
        raise ConfigurationError.missing([VARIABLE])
    try:
        url = URL(given)
    except ValueError:
        url = URL()
    if url.scheme not in _SCHEMES or not url.host:
        message = f"{VARIABLE} is not the URL of a RabbitMQ. Write amqp://user:password@host:5672/ or amqps://…."
        raise ConfigurationError(message)
    return given
