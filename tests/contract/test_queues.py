"""The contract of ``Queue`` and of the worker over it: what ``test_messaging.py`` cannot see through a handler."""

import threading
import time
from contextlib import closing

import pytest

from shared.topology import TOPOLOGY
from tests.contract.messages import TIMEOUT_SECONDS, Consumer, message, publish, take_one
from tests.contract.transports import DEADLINE_SECONDS, Connect, drain, notifications, quick, working
from transport.connect import Transport
from transport.port import Received

SMS = quick(TOPOLOGY["sms"].subscription)
DEAD = quick(TOPOLOGY["sms"].dead_letter_subscription)


@pytest.fixture(autouse=True)
def drained(connect: Connect) -> None:
    drain(connect)


def test_a_message_that_waits_in_a_queue_is_taken_at_once_when_it_is_published(transport: Transport) -> None:
    queue = transport.queue(SMS)
    threading.Timer(0.5, publish, [notifications(transport), message("late")]).start()
    began = time.monotonic()
    while not (taken := queue.take(10, TIMEOUT_SECONDS)):
        pass  # a queue may be woken by another message
    assert time.monotonic() - began < TIMEOUT_SECONDS / 2
    assert [each.received.data for each in taken] == [b"late"]
    queue.done(taken)


def test_a_take_that_waits_or_is_about_to_wait_can_be_woken(transport: Transport) -> None:
    queue = transport.queue(SMS)
    queue.wake()
    began = time.monotonic()
    assert queue.take(10, TIMEOUT_SECONDS) == []
    threading.Timer(0.3, queue.wake).start()
    assert queue.take(10, TIMEOUT_SECONDS) == []
    assert time.monotonic() - began < TIMEOUT_SECONDS


def test_a_worker_that_stops_finishes_what_it_has_begun(transport: Transport) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def handler(_received: Received) -> None:
        begun.set()
        assert go_on.wait(TIMEOUT_SECONDS)

    with working(transport, SMS, handler):
        publish(notifications(transport), message("begun"))
        assert begun.wait(TIMEOUT_SECONDS)
        threading.Timer(0.3, go_on.set).start()
    again = Consumer()
    with working(transport, SMS, again):
        assert again.gets_nothing_for(DEADLINE_SECONDS + 0.5)


def test_a_message_that_is_not_settled_is_taken_again_after_the_deadline(
    connect: Connect, transport: Transport
) -> None:
    queue = transport.queue(SMS)
    publish(notifications(transport), message("held"))
    with closing(connect()) as dying:
        assert take_one(dying.queue(SMS)).received.attempt == 1
        assert queue.take(1, DEADLINE_SECONDS / 2) == []
    again = take_one(queue)
    queue.done([again])
    assert (again.received.data, again.received.attempt) == (b"held", 2)


def test_a_worker_that_is_too_late_changes_nothing(transport: Transport) -> None:
    queue, dead = transport.queue(SMS), transport.queue(DEAD)
    publish(notifications(transport), message("slow"))
    late = take_one(queue)
    again = take_one(queue)
    queue.again(late, 0.0)
    queue.bury(late)
    assert queue.take(1, DEADLINE_SECONDS / 2) == []
    assert dead.take(1, 0.1) == []
    queue.done([again])
    assert queue.take(1, DEADLINE_SECONDS + 0.5) == []


def test_a_buried_message_is_a_dead_letter_with_the_count_of_its_attempts(transport: Transport) -> None:
    queue, dead = transport.queue(SMS), transport.queue(DEAD)
    publish(notifications(transport), message("dead"))
    queue.again(take_one(queue), 0.0)
    queue.bury(take_one(queue))
    letter = take_one(dead)
    dead.done([letter])
    assert (letter.received.data, letter.received.attempt, letter.received.dead_after) == (b"dead", 1, 2)
    assert queue.take(1, DEADLINE_SECONDS + 0.5) == []
