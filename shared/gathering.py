"""Takes what has queued up: the one way in which batches form here."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from shared.threads import Answer

T = TypeVar("T")
R = TypeVar("R")
MAX_GATHERED = 256
# Where more than one thread asks at a time, the next batch is left to grow for so long.
_REST_SECONDS = 0.01


def gather(waiting: queue.SimpleQueue[T | None], limit: int) -> list[T]:
    """Wait for an item, and take up to ``limit`` with what has queued behind it. Empty after ``None`` was put."""
    first = waiting.get()
    if first is None:
        return []
    items = [first]
    while len(items) < limit and not waiting.empty():  # this thread alone takes from it
        item = waiting.get()
        if item is None:
            waiting.put(None)  # for the next call
            break
        items.append(item)
    return items


class Gatherer(Generic[T, R]):
    """Does for many threads at once what each of them asks for alone.

    A batch is what queued while the last one was in work, and for 10 ms more if that was more than one item: an item
    that comes alone never waits. ``work`` takes the items and returns a result for each; an error that it raises is
    raised in every thread that waits.
    """

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R]], name: str, limit: int = MAX_GATHERED) -> None:
        self._work = work
        self._limit = limit
        self._queue: queue.SimpleQueue[tuple[T, Answer[R]] | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __call__(self, item: T) -> R:
        """The result for ``item``. Raises what ``work`` raised."""
        answer: Answer[R] = Answer()
        self._queue.put((item, answer))
        answer.is_given()
        return answer.get()

    def close(self) -> None:
        """Work on what is queued, then end."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while gathered := gather(self._queue, self._limit):
            try:
                results = self._work([item for item, _ in gathered])
            except Exception as error:  # noqa: BLE001 - the error belongs to the threads that wait, not to this one
                for _, answer in gathered:
                    answer.fail(error)
            else:
                for (_, answer), result in zip(gathered, results, strict=True):
                    answer.give(result)
            if len(gathered) > 1:
                self._closing.wait(_REST_SECONDS)
