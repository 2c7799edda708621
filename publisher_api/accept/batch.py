"""The micro-batcher: requests that wait for the same thing get it together.

There is no timer. A worker takes whatever is queued, works, and takes what has queued meanwhile: alone, a request waits
for nobody; under load, batches grow by themselves until they pay for the round trips.
"""

import asyncio
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


class MicroBatcher(Generic[T, R]):
    """Gathers items from one event loop and works on them in a thread of its own.

    ``work`` takes a list and answers with one result an item; an exception of its is every item's answer, except that
    a batch that fails for what is *in* it is done again one by one, so a poisoned item harms nobody but itself.
    """

    def __init__(
        self, work: Callable[[Sequence[T]], Sequence[R]], name: str, limit: int = LIMIT, patience: float = 15.0
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
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._queue.put((item, future))
        return await asyncio.wait_for(future, self._patience)

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            waiting = [first]
            stop = False
            while len(waiting) < self._limit and not self._queue.empty():
                more = self._queue.get()
                if more is None:
                    stop = True
                    break
                waiting.append(more)
            self._answer(waiting)
            if stop:
                return

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


def _resolve(outcomes: list[tuple[asyncio.Future[R], R | BaseException]]) -> None:
    for future, outcome in outcomes:
        if future.done():  # its client went away
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
