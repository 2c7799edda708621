"""What the contract's tests publish, and a consumer that keeps what it gets."""

import time
import uuid
from collections.abc import Callable
from queue import Empty, SimpleQueue

from tests.contract.transports import notifications
from transport.connect import Transport
from transport.port import Encoded, Received

TIMEOUT_SECONDS = 20.0


def message(text: str = "", channel: str = "sms") -> Encoded:
    return Encoded(text.encode() or uuid.uuid4().bytes, {"channel": channel, "event_type": "é ✓"})


def publish(transport: Transport, *messages: Encoded) -> None:
    stored = [each for batch in notifications(transport).publish(messages) for each in batch]
    assert stored == list(messages)


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
