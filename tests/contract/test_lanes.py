"""The lanes of every transport with queues: urgent work begins before bulk that came earlier, and bulk goes on."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from shared.lanes import Lane, topic_of
from shared.topology import NOTIFICATIONS_TOPIC
from tests.contract.messages import TIMEOUT_SECONDS, message
from tests.contract.transports import Connect, as_it_is, quick, working
from transport.connect import Transport
from transport.port import Received

BULK = 100
URGENT = 5
SUBSCRIPTIONS = {lane: quick(f"{topic_of(NOTIFICATIONS_TOPIC, lane)}-sms") for lane in Lane}


@pytest.fixture(autouse=True)
def drained(connect: Connect) -> None:
    transport = connect()
    for subscription in SUBSCRIPTIONS.values():
        queue = transport.queue(subscription)
        while taken := queue.take(1000, 0.05):
            queue.done(taken)
    transport.close()


def publish(transport: Transport, lane: Lane, count: int) -> None:
    topic = transport.topic(topic_of(NOTIFICATIONS_TOPIC, lane), as_it_is)
    assert (
        sum(len(stored) for stored in topic.publish([message(f"{lane}-{number}") for number in range(count)])) == count
    )


class Slow:
    """A handler that keeps the order in which messages of each lane began. One of the lane ``bulk`` takes long."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.go_on = threading.Event()

    def __call__(self, received: Received) -> None:
        lane = received.data.decode().partition("-")[0]
        self.began.append(lane)
        if lane == Lane.BULK:
            self.go_on.wait(TIMEOUT_SECONDS)

    def has_begun(self, lane: Lane, count: int) -> bool:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while self.began.count(lane) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.began.count(lane) == count


@contextmanager
def working_on_every_lane(transport: Transport, handler: Slow) -> Iterator[None]:
    with ExitStack() as stack:
        for subscription in SUBSCRIPTIONS.values():
            stack.enter_context(working(transport, subscription, handler))
        try:
            yield
        finally:
            handler.go_on.set()


def test_urgent_work_starts_although_every_thread_is_busy_with_bulk_that_came_earlier(transport: Transport) -> None:
    handler = Slow()
    publish(transport, Lane.BULK, BULK)
    with working_on_every_lane(transport, handler):
        assert handler.has_begun(Lane.BULK, SUBSCRIPTIONS[Lane.BULK].concurrency)
        publish(transport, Lane.NORMAL, URGENT)
        publish(transport, Lane.URGENT, URGENT)
        assert handler.has_begun(Lane.URGENT, URGENT)
        assert handler.has_begun(Lane.NORMAL, URGENT)
        assert handler.began.count(Lane.BULK) < BULK // 2
        handler.go_on.set()
        assert handler.has_begun(Lane.BULK, BULK)


def test_urgent_work_that_came_last_begins_before_most_of_the_bulk(transport: Transport) -> None:
    handler = Slow()
    publish(transport, Lane.BULK, BULK)
    publish(transport, Lane.URGENT, URGENT)
    with working_on_every_lane(transport, handler):
        assert handler.has_begun(Lane.URGENT, URGENT)
        handler.go_on.set()
        assert handler.has_begun(Lane.BULK, BULK)
    last_urgent = max(place for place, lane in enumerate(handler.began) if lane == Lane.URGENT)
    assert last_urgent < URGENT + SUBSCRIPTIONS[Lane.BULK].concurrency


def test_bulk_goes_on_while_urgent_work_keeps_coming(transport: Transport) -> None:
    handler = Slow()
    handler.go_on.set()
    publish(transport, Lane.BULK, BULK)
    with working_on_every_lane(transport, handler):
        sent = 0
        while handler.began.count(Lane.BULK) < BULK and sent < 200:
            publish(transport, Lane.URGENT, URGENT)
            sent += 1
        assert handler.has_begun(Lane.BULK, BULK)
        assert handler.has_begun(Lane.URGENT, URGENT * sent)
