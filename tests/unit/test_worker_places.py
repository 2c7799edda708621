"""How many messages a worker takes."""

import threading

import pytest

from transport.worker import Places


def test_without_a_backlog_there_is_a_place_for_each_free_thread() -> None:
    places = Places(4)
    assert places.reserve(backlog=False) == 4
    places.release(3)
    assert places.reserve(backlog=False) == 3


def test_with_a_backlog_half_as_many_more_wait_for_a_thread() -> None:
    places = Places(4)
    assert places.reserve(backlog=True) == 4 + 2


@pytest.mark.parametrize(
    ("backlog", "ended", "reserved"),
    [pytest.param(True, 1, 2, id="while a message waits"), pytest.param(False, 2, 1, id="while all threads are busy")],
)
def test_after_a_backlog_was_taken_no_more_are_taken(ended: int, reserved: int, *, backlog: bool) -> None:
    places = Places(4)
    places.reserve(backlog=True)
    found: list[int] = []
    waiting = threading.Thread(target=lambda: found.append(places.reserve(backlog=backlog)))
    waiting.start()
    places.release(ended)
    waiting.join(0.1)
    assert waiting.is_alive()
    places.release(1)
    waiting.join(10)
    assert found == [reserved]
