"""How many messages a worker takes."""

import threading

from transport.worker import Places


def test_without_a_backlog_there_is_a_place_for_each_free_thread() -> None:
    places = Places(4)
    assert places.reserve(backlog=False) == 4
    places.release(3)
    assert places.reserve(backlog=False) == 3


def test_with_a_backlog_half_as_many_more_wait_for_a_thread() -> None:
    places = Places(4)
    assert places.reserve(backlog=True) == 4 + 2


def test_with_a_backlog_no_more_are_taken_while_a_message_waits() -> None:
    places = Places(4)
    places.reserve(backlog=True)
    reserved: list[int] = []
    waiting = threading.Thread(target=lambda: reserved.append(places.reserve(backlog=True)))
    waiting.start()
    places.release(1)
    waiting.join(0.1)
    assert waiting.is_alive(), "one message still waits for a thread"
    places.release(1)
    waiting.join(10)
    assert reserved == [2]


def test_after_a_backlog_the_messages_that_wait_come_first() -> None:
    places = Places(4)
    places.reserve(backlog=True)
    reserved: list[int] = []
    waiting = threading.Thread(target=lambda: reserved.append(places.reserve(backlog=False)))
    waiting.start()
    places.release(2)
    waiting.join(0.1)
    assert waiting.is_alive(), "all threads are busy"
    places.release(1)
    waiting.join(10)
    assert reserved == [1]
