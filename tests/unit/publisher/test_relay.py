"""The relay: in which order it publishes, and what does not fit in memory is left to the sweeper."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from postgres.pool import make_pool
from publisher_api.outbox.message import Outgoing
from publisher_api.outbox.relay import MAX_WAITING_BYTES, Relay
from publisher_api.outbox.shares import Shares
from shared.envelope import Delivery, Message
from shared.lanes import URGENT_PRIORITY, Lane
from tests.factories import NOON, make_delivery
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


class Recorded(Unavailable):
    """A topic that waits until ``free`` is set, and then keeps what each call published."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[Delivery]] = []

    def publish(self, messages: Sequence[Message]) -> Iterator[list[Message]]:
        self.free.wait(10)
        self.calls.append([message for message in messages if isinstance(message, Delivery)])
        self.asked += messages
        raise PublishError


@contextmanager
def relaying(topic: Unavailable, *outgoing: Outgoing) -> Iterator[None]:
    """A relay that gets ``outgoing`` before it starts."""
    relay = Relay(make_pool("", 1), topic, Shares(), lambda: NOON)
    relay.publish_soon(outgoing)
    relay.start()
    topic.free.set()
    try:
        yield
    finally:
        relay.stop()


def of(producer: str, count: int, priority: int = 100) -> list[Outgoing]:
    return [Outgoing(producer, make_delivery(user_id=producer, priority=priority)) for _ in range(count)]


def test_what_is_urgent_is_published_before_all_that_came_earlier() -> None:
    topic = Recorded()
    with relaying(topic, *of("shop", 20), *of("shop", 3, URGENT_PRIORITY)):
        assert topic.was_asked_for(23)
    (call,) = topic.calls
    assert [delivery.lane for delivery in call] == [Lane.URGENT] * 3 + [Lane.NORMAL] * 20


def test_a_flood_by_one_producer_does_not_delay_another() -> None:
    topic = Recorded()
    with relaying(topic, *of("flood", 1000), *of("shop", 3)):
        assert topic.was_asked_for(1003)
    (call,) = (call for call in topic.calls if call[0].lane is not Lane.BULK)
    assert [delivery.user_id for delivery in call[:6]] == ["flood", "shop"] * 3
    assert {delivery.user_id for each in topic.calls if each is not call for delivery in each} == {"flood"}


def test_the_bulk_of_several_producers_is_published_in_turn() -> None:
    topic = Recorded()
    with relaying(topic, *of("flood", 1000), *of("campaign", 100)):
        assert topic.was_asked_for(1100)
    bulk = [delivery.user_id for call in topic.calls for delivery in call if delivery.lane is Lane.BULK]
    assert bulk[:100] == ["flood", "campaign"] * 50


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
