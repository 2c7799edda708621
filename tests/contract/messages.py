"""What the contract's tests publish, and a consumer that keeps what it gets."""

import time
import uuid
from collections.abc import Callable
from queue import Empty, SimpleQueue

from transport.port import Encoded, Queue, Received, Taken, Topic

TIMEOUT_SECONDS = 20.0


def message(text: str = "", channel: str = "sms") -> Encoded:
    return Encoded(text.encode() or uuid.uuid4().bytes, {"channel": channel, "event_type": "é ✓"})


def publish(topic: Topic[Encoded], *messages: Encoded) -> None:
    assert [each for batch in topic.publish(messages) for each in batch] == list(messages)


def take(queue: Queue, limit: int = 1) -> list[Taken]:
    """What can be taken, as soon as it is anything."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not (taken := queue.take(limit, 1.0)):
        assert time.monotonic() < deadline, "no message came"
    return taken


def take_one(queue: Queue) -> Taken:
    (taken,) = take(queue)
    return taken


class Consumer:
    """A handler that keeps what it gets, and raises what ``failing`` returns for it."""

    def __init__(self, failing: Callable[[Received], Exception | None] = lambda _: None) -> None:
        self.got: SimpleQueue[tuple[Received, float]] = SimpleQueue()
        self._failing = failing

    def __call__(self, received: Received) -> None:
        self.got.put((received, time.monotonic()))
        if error := self._failing(received):
            raise error

    def next(self) -> Received:
        return self.next_with_time()[0]

    def next_with_time(self) -> tuple[Received, float]:
        return self.got.get(timeout=TIMEOUT_SECONDS)

    def gets_nothing_for(self, seconds: float) -> bool:
        try:
            self.got.get(timeout=seconds)
        except Empty:
            return True
        return False
