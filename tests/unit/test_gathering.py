"""Gathering: what queued while the last batch was in work is the next batch."""

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from shared.gathering import Gatherer, gather

TIMEOUT_SECONDS = 10.0


class Work:
    """Doubles numbers. The first batch lasts until ``go_on`` is set, so that the rest queues behind it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.batches: list[list[int]] = []
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self._error = error

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.begun.set()
        assert self.go_on.wait(TIMEOUT_SECONDS)
        if self._error is not None:
            raise self._error
        return [2 * item for item in items]


def queue_behind_the_first(
    work: Work, gatherer: Gatherer[int, int], threads: ThreadPoolExecutor, numbers: Sequence[int]
) -> list[object]:
    """Ask for each number in a thread of its own. Returns what each thread got: a result, or an error."""

    def ask(number: int) -> object:
        try:
            return gatherer(number)
        except LookupError as error:
            return error

    asked = [threads.submit(ask, numbers[0])]
    assert work.begun.wait(TIMEOUT_SECONDS)
    for number in numbers[1:]:
        before = gatherer._queue.qsize()  # noqa: SLF001 - no other sign that a thread waits
        asked.append(threads.submit(ask, number))
        while gatherer._queue.qsize() == before:  # noqa: SLF001 - likewise
            pass
    work.go_on.set()
    return [each.result(TIMEOUT_SECONDS) for each in asked]


def test_each_thread_gets_the_result_of_its_own_item() -> None:
    work = Work()
    with closing(Gatherer(work, "test")) as gatherer, ThreadPoolExecutor(8) as threads:
        assert queue_behind_the_first(work, gatherer, threads, [1, 2, 3, 4]) == [2, 4, 6, 8]
    assert work.batches == [[1], [2, 3, 4]]


def test_a_batch_has_at_most_as_many_items_as_the_limit() -> None:
    work = Work()
    with closing(Gatherer(work, "test", limit=2)) as gatherer, ThreadPoolExecutor(8) as threads:
        queue_behind_the_first(work, gatherer, threads, [1, 2, 3, 4])
    assert work.batches == [[1], [2, 3], [4]]


def test_an_error_reaches_every_thread_that_waits() -> None:
    error = LookupError("no such row")
    work = Work(error)
    with closing(Gatherer(work, "test")) as gatherer, ThreadPoolExecutor(8) as threads:
        assert queue_behind_the_first(work, gatherer, threads, [1, 2, 3, 4]) == [error] * 4
    assert work.batches == [[1], [2, 3, 4]], "an error ends neither the thread nor the gathering"


def test_closing_works_on_what_is_queued() -> None:
    work = Work()
    gatherer = Gatherer(work, "test")
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(gatherer, 1)]
        assert work.begun.wait(TIMEOUT_SECONDS)
        asked += [threads.submit(gatherer, number) for number in (2, 3)]
        while gatherer._queue.qsize() < len(asked) - 1:  # noqa: SLF001 - no other sign that both wait
            pass
        closed = threads.submit(gatherer.close)
        work.go_on.set()
        closed.result(TIMEOUT_SECONDS)
        assert work.batches[0] == [1]
        assert sorted(number for batch in work.batches[1:] for number in batch) == [2, 3], (
            "close() returns when all is done"
        )
        assert [each.result(TIMEOUT_SECONDS) for each in asked] == [2, 4, 6]


def test_gather_ends_at_none_and_again_at_the_next_call() -> None:
    waiting: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    for item in (1, 2, None):
        waiting.put(item)
    assert [gather(waiting, 10), gather(waiting, 10)] == [[1, 2], []]


@pytest.mark.parametrize("limit", [1, 2])
def test_gather_leaves_what_is_beyond_the_limit(limit: int) -> None:
    waiting: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    for item in range(3):
        waiting.put(item)
    assert gather(waiting, limit) == list(range(limit))
    assert waiting.qsize() == 3 - limit
