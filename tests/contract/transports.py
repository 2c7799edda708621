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

DEADLINE_SECONDS = 1
BACKOFF_SECONDS = 0.2
ATTEMPTS = 3


def quick(name: str) -> Subscription:
    """The subscription ``name``, with waits and attempts that a test can wait for."""
    (found,) = (each for each in subscriptions() if each.name == name)
    dead_letters = found.dead_letters and DeadLetters(found.dead_letters.topic, ATTEMPTS)
    return msgspec.structs.replace(
        found,
        ack_deadline_seconds=DEADLINE_SECONDS,
        backoff_seconds=(BACKOFF_SECONDS, BACKOFF_SECONDS),
        dead_letters=dead_letters,
    )


def as_it_is(message: Encoded) -> Encoded:
    return message


@dataclass(frozen=True, slots=True)
class Server:
    """A transport's server. ``connect`` makes a new client of it; ``kill`` ends it with SIGKILL.

    ``environment`` is what another process needs to connect to it (``killed_worker.py``).
    """

    connect: Callable[[], Transport]
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
