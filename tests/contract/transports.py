"""The transports under test: how each is connected, and how its server is killed and started again."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass

import msgspec

from postgres.pool import make_pool
from shared.profile import Profile
from shared.topology import NOTIFICATIONS_TOPIC, DeadLetters, Subscription, subscriptions
from transport.connect import Transport, connect_transport
from transport.port import Encoded, Handler, Topic
from transport.worker import Worker, stop_all


@dataclass(frozen=True, slots=True)
class Pace:
    """The waits and attempts of a subscription under test.

    A message comes at most ``punctual_seconds`` later than its backoff. The first ``attempts_at_once`` have none.
    """

    attempts: int
    deadline_seconds: int
    backoff_seconds: float
    punctual_seconds: float
    attempts_at_once: int = 1

    def of(self, subscription: Subscription) -> Subscription:
        """``subscription`` at this pace."""
        return msgspec.structs.replace(
            subscription,
            ack_deadline_seconds=self.deadline_seconds,
            backoff_seconds=(self.backoff_seconds, self.backoff_seconds),
            dead_letters=subscription.dead_letters and DeadLetters(subscription.dead_letters.topic, self.attempts),
        )


QUICK = Pace(attempts=3, deadline_seconds=1, backoff_seconds=0.2, punctual_seconds=2.0)
"""What a transport with queues lets a test wait for."""
DEADLINE_SECONDS = QUICK.deadline_seconds
BACKOFF_SECONDS = QUICK.backoff_seconds
ATTEMPTS = QUICK.attempts


def quick(name: str) -> Subscription:
    """The subscription ``name``, with waits and attempts that a test can wait for."""
    (found,) = (each for each in subscriptions() if each.name == name)
    return QUICK.of(found)


Connect = Callable[[], Transport]
"""Makes a new client of a transport."""


def as_it_is(message: Encoded) -> Encoded:
    return message


@dataclass(frozen=True, slots=True)
class Server:
    """A transport's server. ``connect`` makes a new client of it; ``kill`` ends it with SIGKILL.

    ``environment`` is what another process needs to connect to it (``killed_worker.py``).
    """

    connect: Connect
    kill: Callable[[], None]
    restart: Callable[[], None]
    environment: Mapping[str, str]

    @contextmanager
    def connected(self) -> Iterator[Transport]:
        with closing(self.connect()) as transport:
            yield transport


def connect_redis(url: str, **environ: str) -> Transport:
    """The transport of the profile redis. It does not use its pool."""
    return connect_transport(Profile.REDIS, {"REDIS_URL": url, **environ}, make_pool("", 1))


def notifications(transport: Transport) -> Topic[Encoded]:
    return transport.topic(NOTIFICATIONS_TOPIC, as_it_is)


@contextmanager
def working(transport: Transport, subscription: Subscription, *handlers: Handler) -> Iterator[None]:
    """A worker for each of ``handlers``, during the block."""
    workers = [Worker(transport.queue(subscription), handler, subscription) for handler in handlers]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        stop_all(workers)


def drain(connect: Connect) -> None:
    """Remove the messages of other tests."""
    with closing(connect()) as transport:
        for name in ("notifications-sms", "notifications-sms-dead-function", "notifications-email"):
            queue = transport.queue(quick(name))
            while taken := queue.take(1000, 0.05):
                queue.done(taken)
