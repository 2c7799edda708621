"""The relay's queue: what does not fit in memory is left to the sweeper."""

import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from postgres.pool import make_pool
from publisher_api.outbox.message import Outgoing
from publisher_api.outbox.relay import MAX_WAITING_BYTES, Relay
from publisher_api.outbox.shares import Shares
from shared.envelope import Message
from tests.factories import make_delivery
from transport.port import PublishError

SIZE = 1_000_000


class Unavailable:
    """A topic that waits until ``free`` is set, and then stores nothing."""

    def __init__(self) -> None:
        self.asked: list[Message] = []
        self.free = threading.Event()

    def publish(self, messages: Sequence[Message]) -> Iterator[list[Message]]:
        self.free.wait(10)
        self.asked += messages
        raise PublishError

    def check(self) -> None:
        raise PublishError

    def close(self) -> None:
        pass

    def was_asked_for(self, count: int) -> bool:
        deadline = time.monotonic() + 10
        while len(self.asked) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return len(self.asked) == count


def large() -> Outgoing:
    return Outgoing("shop", make_delivery(content={"title": "x" * SIZE}))


def test_the_queue_is_bounded_by_bytes() -> None:
    topic = Unavailable()
    relay = Relay(make_pool("", 1), topic, Shares(), lambda: datetime.now(UTC))
    fit = MAX_WAITING_BYTES // SIZE - 1  # each has a little more than SIZE bytes
    relay.publish_soon([large() for _ in range(3 * fit)])
    relay.start()
    small = Outgoing("shop", make_delivery())
    relay.publish_soon([large(), small])
    topic.free.set()
    try:
        assert topic.was_asked_for(fit + 1)
        assert small.delivery in topic.asked
        relay.publish_soon([small])
        assert topic.was_asked_for(fit + 2)  # so the call before has ended
        relay.publish_soon([large() for _ in range(fit)])
        assert topic.was_asked_for(2 * fit + 2), "what was published takes no room any more"
    finally:
        relay.stop()
