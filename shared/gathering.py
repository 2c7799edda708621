"""Takes what has queued up: the one way in which batches form here."""

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
MAX_GATHERED = 256


def gather(waiting: queue.SimpleQueue[T | None], limit: int) -> list[T]:
    """Wait for an item, and take up to ``limit`` with what has queued behind it. Empty after ``None`` was put."""
    first = waiting.get()
    if first is None:
        return []
    items = [first]
    with contextlib.suppress(queue.Empty):
        while len(items) < limit:
            item = waiting.get_nowait()
            if item is None:
                waiting.put(None)  # for the next call
                break
            items.append(item)
    return items


class Gatherer(Generic[T, R]):
    """Does for many threads at once what each of them asks for alone.

    There is no timer: a batch is what queued while the last one was in work. ``work`` takes the items and returns a
    result for each; an error that it raises is raised in every thread that waits.
    """

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R]], name: str, limit: int = MAX_GATHERED) -> None:
        self._work = work
        self._limit = limit
        self._queue: queue.SimpleQueue[tuple[T, Future[R]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __call__(self, item: T) -> R:
        """The result for ``item``. Raises what ``work`` raised."""
        future: Future[R] = Future()
        self._queue.put((item, future))
        return future.result()

    def close(self) -> None:
        """Work on what is queued, then end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while gathered := gather(self._queue, self._limit):
            try:
                results = self._work([item for item, _ in gathered])
            except Exception as error:  # noqa: BLE001 - the error belongs to the threads that wait, not to this one
                for _, future in gathered:
                    future.set_exception(error)
            else:
                for (_, future), result in zip(gathered, results, strict=True):
                    future.set_result(result)
