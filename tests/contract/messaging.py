"""A transport as producers and handlers see it: over queues with workers, or over Pub/Sub with pushes."""

import itertools
import signal
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from functions.google.push import respond
from functions.runtime.lazy import Lazy
from local.processes import Child, answers, free_port
from shared.topology import NOTIFICATIONS_TOPIC, RetryProfile, Subscription
from tests.contract.messages import TIMEOUT_SECONDS, take_one
from tests.contract.transports import QUICK, Connect, Pace, as_it_is, notifications, working
from tests.pushing import bridging, gated, serving
from transport.port import Encoded, Handler, Topic
from transport.pubsub import PubSubTopic, topic_path

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Messaging(Protocol):
    """What the contract of every transport needs. ``pace`` is that of its subscriptions."""

    @property
    def pace(self) -> Pace: ...

    def producing(self) -> AbstractContextManager[Topic[Encoded]]:
        """A client of the topic of notifications."""
        ...

    def handling(self, subscription: Subscription, *handlers: Handler) -> AbstractContextManager[None]:
        """A consumer of ``subscription`` for each of ``handlers``, during the block."""
        ...

    def handling_after_a_death(self, subscription: Subscription, handler: Handler) -> AbstractContextManager[None]:
        """As ``handling``, but first another consumer gets a message, and dies before it has handled it."""
        ...


@dataclass(frozen=True, slots=True)
class Queues:
    """A transport with queues. Each consumer is a worker with a connection of its own."""

    connect: Connect
    pace: Pace = QUICK

    @contextmanager
    def producing(self) -> Iterator[Topic[Encoded]]:
        with closing(self.connect()) as transport:
            yield notifications(transport)

    @contextmanager
    def handling(self, subscription: Subscription, *handlers: Handler) -> Iterator[None]:
        with ExitStack() as stack:
            for handler in handlers:
                transport = stack.enter_context(closing(self.connect()))
                stack.enter_context(working(transport, subscription, handler))
            yield

    @contextmanager
    def handling_after_a_death(self, subscription: Subscription, handler: Handler) -> Iterator[None]:
        with closing(self.connect()) as dying:
            take_one(dying.queue(subscription))
        with self.handling(subscription, handler):
            yield


PUBSUB = Pace(
    # The fewest attempts, and the shortest deadline, that Pub/Sub accepts.
    attempts=5,
    deadline_seconds=10,
    backoff_seconds=2.0,
    # The emulator counts in steps of a second, and makes the second attempt at once.
    punctual_seconds=4.0,
    attempts_at_once=2,
)


@dataclass(frozen=True, slots=True)
class PubSub:
    """Pub/Sub in ``project`` of the emulator. The push bridge is in front of the consumers, which get pushes in turn.

    The subscriptions exist at ``pace``, so other waits that a test asks for have no effect. The bridge does not pause
    after a refused push: ``tests/integration/test_push_bridge.py`` tests this pause, and what it holds up.
    """

    host: str
    project: str
    logs: Path
    pace: Pace = PUBSUB

    @contextmanager
    def producing(self) -> Iterator[Topic[Encoded]]:
        path = topic_path(self.project, NOTIFICATIONS_TOPIC)
        with closing(PubSubTopic(path, as_it_is, emulator_host=self.host)) as topic:
            yield topic

    @contextmanager
    def handling(self, subscription: Subscription, *handlers: Handler) -> Iterator[None]:
        port = free_port()
        with (
            serving(gated(Endpoint(handlers), port), free_port()) as url,
            self._bridging(subscription, url, port),
        ):
            yield

    @contextmanager
    def handling_after_a_death(self, subscription: Subscription, handler: Handler) -> Iterator[None]:
        """The bridge lives on: a push that it could not end would come again only after a minute."""
        port, bridge_port = free_port(), free_port()
        url = f"http://127.0.0.1:{port}"
        dying = Child.start(
            "endpoint", [sys.executable, "-m", "tests.contract.killed_endpoint", str(port)], log=self._log()
        )
        try:
            dying.wait_ready(lambda: answers(url, 400), TIMEOUT_SECONDS)
            with self._bridging(subscription, url, bridge_port):
                assert dying.process.wait(TIMEOUT_SECONDS) == -signal.SIGKILL
                with serving(gated(Endpoint([handler]), bridge_port), port):
                    yield
        finally:
            dying.kill()

    def _bridging(self, subscription: Subscription, url: str, port: int) -> AbstractContextManager[str]:
        return bridging(self.host, self.project, {subscription.name: url}, self._log(), RetryProfile.UNIT_TEST, port)

    def _log(self) -> Path:
        return self.logs / f"{uuid.uuid4().hex[:8]}.log"


class Endpoint:
    """The service that Pub/Sub pushes to: the instances of a function, which get the requests in turn."""

    def __init__(self, handlers: Iterable[Handler]) -> None:
        self._instances = itertools.cycle([_built(handler) for handler in handlers])

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
        # Raises after a bug in the handler. The server then responds with 500, as Google's framework does.
        _, status = respond(body, next(self._instances))
        start_response(f"{status} Handled", [])
        return []


def _built(handler: Handler) -> Lazy[Handler]:
    return Lazy(lambda: handler)
