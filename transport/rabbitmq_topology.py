"""What RabbitMQ must have: exchanges, queues and bindings, derived from ``shared.topology``. Pure.

A topic is a topic exchange, a subscription is a quorum queue. A message that waits for its next attempt is in a queue
``<subscription>.retry.<seconds>``, whose messages RabbitMQ moves back after this time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.backoff import SPREAD
from shared.topology import CHANNEL_TYPES, Subscription, channel_filter, subscriptions_to

RETRY_SECONDS = (0.25, 0.5, 1, 2, 5, 15, 30, 60, 120, 300, 600, 720)
"""The waits that have a queue. 720 is the longest backoff of a subscription, with the fifth that is added at random."""
DELIVERY_LIMIT = 100
"""How often RabbitMQ itself delivers a message again: the most attempts that a subscription may declare.

It is the same in every queue, so that a queue need not be deleted when the attempts of its subscription change. A
queue obeys the attempts of its subscription when a message is taken (``transport.rabbitmq_queue``).
"""
_NO_LIMIT = 2**31 - 1
_MAX_ROUTING_KEY_BYTES = 255
_Arguments = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue, and the exchange and pattern that it is bound to; without ``exchange``, it is bound to none."""

    name: str
    arguments: _Arguments = field(hash=False)
    exchange: str = ""
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Declaration:
    """Exchanges and queues that must exist."""

    exchanges: tuple[str, ...] = ()
    queues: tuple[Queue, ...] = ()


def routing_key(attributes: Mapping[str, str]) -> str:
    """``channel.<type>.<event type>``, cut after 255 bytes, which is the limit of AMQP. Without a type, ``channel``.

    >>> routing_key({"channel": "sms", "event_type": "order.paid"})
    'channel.sms.order.paid'
    >>> len(routing_key({"channel": "sms", "event_type": "é" * 500}).encode())
    254
    """
    words = ["channel", *(attributes[name] for name in ("channel", "event_type") if attributes.get(name))]
    return ".".join(words).encode(errors="replace")[:_MAX_ROUTING_KEY_BYTES].decode(errors="ignore")


def retry_seconds(after_seconds: float) -> float:
    """The shortest wait that has a queue and is not shorter than ``after_seconds``; the longest, if all are shorter.

    >>> [retry_seconds(seconds) for seconds in (0, 0.2, 1, 12.5, 720, 10_000)]
    [0.25, 0.25, 1, 15, 720, 720]
    """
    return next((step for step in RETRY_SECONDS if step >= after_seconds), RETRY_SECONDS[-1])


def retry_queue(subscription: Subscription, seconds: float) -> Queue:
    """The queue for messages that wait ``seconds``, one of ``RETRY_SECONDS``."""
    arguments = {
        **_safe_dead_letters(exchange=""),
        "x-dead-letter-routing-key": subscription.name,
        "x-message-ttl": round(seconds * 1000),
    }
    return Queue(f"{subscription.name}.retry.{seconds:g}", arguments)


def retry_queues(subscription: Subscription) -> tuple[Queue, ...]:
    """The queues for every backoff of ``subscription``, each with the fifth that is added at random."""
    shortest, longest = subscription.backoff_seconds or (0.0, 0.0)
    first, last = retry_seconds(shortest), retry_seconds(longest * (1 + SPREAD))
    return tuple(retry_queue(subscription, step) for step in RETRY_SECONDS if first <= step <= last)


def declaration_of_topic(topic: str) -> Declaration:
    """The exchange of ``topic``, with the queue of every subscription and their dead letters."""
    exchanges: list[str] = [topic]
    queues: list[Queue] = []
    for subscription in subscriptions_to(topic):
        needed = declaration_of_subscription(subscription)
        exchanges += needed.exchanges
        queues += needed.queues
    return Declaration(tuple(dict.fromkeys(exchanges)), tuple(queues))


def declaration_of_subscription(subscription: Subscription) -> Declaration:
    """The queue of ``subscription`` with its exchange, and the exchange and queues of its dead letters."""
    letters = subscription.dead_letters
    dead = subscriptions_to(letters.topic) if letters is not None else []
    queues = [_queue(each) for each in (subscription, *dead)]
    return Declaration(tuple(dict.fromkeys(queue.exchange for queue in queues)), tuple(queues))


def _queue(subscription: Subscription) -> Queue:
    arguments: dict[str, str | int]
    if subscription.dead_letters is None:
        # RabbitMQ 4 has a limit of 20 where none is declared, and drops the message.
        arguments = {"x-queue-type": "quorum", "x-delivery-limit": _NO_LIMIT}
    else:
        arguments = {
            **_safe_dead_letters(exchange=subscription.dead_letters.topic),
            "x-delivery-limit": DELIVERY_LIMIT,
        }
    return Queue(subscription.name, arguments, subscription.topic, _pattern(subscription))


def _pattern(subscription: Subscription) -> str:
    """The routing keys of the messages that pass the subscription's filter."""
    types = [name for name in CHANNEL_TYPES if subscription.filter == channel_filter(name)]
    return f"channel.{types[0]}.#" if types else "#"


def _safe_dead_letters(exchange: str) -> dict[str, str | int]:
    """A quorum queue that keeps a message until its dead letter is confirmed. RabbitMQ asks for this overflow then."""
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": exchange,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
