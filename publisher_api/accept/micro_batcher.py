"""Groups queued requests into one database transaction.

There is no timer: a batch is what queued while the last one ran. A single request does not wait for others; under load
the batches grow until they pay for the round trips.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import psycopg

from publisher_api.gathering import gather

T = TypeVar("T")
R = TypeVar("R")
_Waiting = tuple[T, asyncio.Future[R]]
MAX_BATCH = 256
TIMEOUT_SECONDS = 15.0
_MAX_WAITING = 10_000


class MicroBatcher(Generic[T, R]):
    """Collects items from one event loop and processes them in a thread of its own.

    ``work`` takes a list and returns one result for each item. An error that it raises is the result of every item,
    except that a batch that fails because of what is *in* it is processed again one by one, so that one bad item does
    not affect the others.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Sequence[R]],
        name: str,
        max_batch: int = MAX_BATCH,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._work = work
        self._max_batch = max_batch
        self._timeout_seconds = timeout_seconds
        self._queue: queue.SimpleQueue[_Waiting[T, R] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Process what is queued, then end. What takes longer than the timeout has been answered with an error."""
        self._queue.put(None)
        self._thread.join(timeout=self._timeout_seconds)

    async def submit(self, item: T) -> R:
        """The result for ``item``. Raises what processing it raised, or ``TimeoutError``.

        After a ``TimeoutError`` the item may still be processed.
        """
        if self._queue.qsize() > _MAX_WAITING:
            raise TimeoutError
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._queue.put((item, future))
        timer = loop.call_later(self._timeout_seconds, _time_out, future)  # a third of the cost of asyncio.timeout()
        try:
            return await future
        finally:
            timer.cancel()

    def _run(self) -> None:
        while waiting := gather(self._queue, self._max_batch):
            self._resolve(waiting)

    def _resolve(self, waiting: list[_Waiting[T, R]]) -> None:
        results = self._try([item for item, _ in waiting])
        loop = waiting[0][1].get_loop()
        loop.call_soon_threadsafe(
            _set_results, [(future, result) for (_, future), result in zip(waiting, results, strict=True)]
        )

    def _try(self, items: list[T]) -> Sequence[R | BaseException]:
        try:
            return self._work(items)
        except psycopg.OperationalError as error:  # Postgres is unavailable: no item is at fault
            return [error] * len(items)
        except Exception as error:  # noqa: BLE001 - the error belongs to the waiting requests, not to this thread
            if len(items) == 1:
                return [error]
            return [result for item in items for result in self._try([item])]


def _time_out(future: asyncio.Future[R]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())


def _set_results(results: list[tuple[asyncio.Future[R], R | BaseException]]) -> None:
    for future, result in results:
        if future.done():  # its client disconnected
            continue
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)
