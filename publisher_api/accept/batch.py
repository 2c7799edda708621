"""The micro-batcher: requests that wait for the same thing get it together.

There is no timer. A worker takes whatever is queued, works, and takes what has queued meanwhile: alone, a request waits
for nobody; under load, batches grow by themselves until they pay for the round trips.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import psycopg

T = TypeVar("T")
R = TypeVar("R")
_Waiting = tuple[T, asyncio.Future[R]]
LIMIT = 256
PATIENCE_SECONDS = 15.0
_MAX_WAITING = 10_000


def gather(waiting: queue.SimpleQueue[T | None], limit: int) -> list[T]:
    """Wait for an item and take up to ``limit`` with what has queued behind it; nothing once ``None`` was put."""
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


class MicroBatcher(Generic[T, R]):
    """Gathers items from one event loop and works on them in a thread of its own.

    ``work`` takes a list and answers with one result an item; an exception of its is every item's answer, except that
    a batch that fails for what is *in* it is done again one by one, so a poisoned item harms nobody but itself.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Sequence[R]],
        name: str,
        limit: int = LIMIT,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._work = work
        self._limit = limit
        self._patience = patience
        self._queue: queue.SimpleQueue[_Waiting[T, R] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what is queued, then end; what does not finish in time was answered with an error long ago."""
        self._queue.put(None)
        self._thread.join(timeout=self._patience)

    async def submit(self, item: T) -> R:
        """The result for ``item``; raises what working on it raised, or ``TimeoutError`` when nothing moves.

        After a ``TimeoutError`` the item may still be worked on.
        """
        if self._queue.qsize() > _MAX_WAITING:
            raise TimeoutError
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._queue.put((item, future))
        timer = loop.call_later(self._patience, _give_up, future)  # a third of what asyncio.timeout() takes
        try:
            return await future
        finally:
            timer.cancel()

    def _run(self) -> None:
        while waiting := gather(self._queue, self._limit):
            self._answer(waiting)

    def _answer(self, waiting: list[_Waiting[T, R]]) -> None:
        outcomes = self._try([item for item, _ in waiting])
        loop = waiting[0][1].get_loop()
        loop.call_soon_threadsafe(
            _resolve, [(future, outcome) for (_, future), outcome in zip(waiting, outcomes, strict=True)]
        )

    def _try(self, items: list[T]) -> Sequence[R | BaseException]:
        try:
            return self._work(items)
        except psycopg.OperationalError as error:  # Postgres is away: that is nobody's item
            return [error] * len(items)
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait, not to this thread
            if len(items) == 1:
                return [error]
            return [outcome for item in items for outcome in self._try([item])]


def _give_up(future: asyncio.Future[R]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())


def _resolve(outcomes: list[tuple[asyncio.Future[R], R | BaseException]]) -> None:
    for future, outcome in outcomes:
        if future.done():  # its client went away
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
