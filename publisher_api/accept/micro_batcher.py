"""Groups queued requests into one database transaction.

There is no timer: a batch is what queued while the last one ran. A single request does not wait for others; under load
the batches grow until they pay for the round trips.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import psycopg

from publisher_api.fair_queue import FairQueue
from publisher_api.refusal import Refusal, RefusalCode, overloaded

T = TypeVar("T")
R = TypeVar("R")
MAX_BATCH = 256
TIMEOUT_SECONDS = 15.0
MAX_WAITING = 10_000


class _Waiting(Generic[T, R]):
    """An item in the queue. It is begun or given up, and never both; the batcher's lock guards which."""

    __slots__ = ("begun", "future", "given_up", "item")

    def __init__(self, item: T, future: asyncio.Future[R]) -> None:
        self.item = item
        self.future = future
        self.begun = False
        self.given_up = False


class MicroBatcher(Generic[T, R]):
    """Collects items from one event loop and processes them in a thread of its own.

    ``work`` takes a list and returns one result for each item. An error that it raises is the result of every item,
    except that a batch that fails because of what is *in* it is processed again one by one, so that one bad item does
    not affect the others. Each batch has items of each producer in turn.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Sequence[R]],
        name: str,
        *,
        max_batch: int = MAX_BATCH,
        max_waiting: int = MAX_WAITING,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._work = work
        self._max_batch = max_batch
        self._timeout_seconds = timeout_seconds
        self._queue = FairQueue[_Waiting[T, R]](max_waiting)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Process what is queued, then end. What takes longer than the timeout has been answered with an error."""
        self._queue.close()
        self._thread.join(timeout=self._timeout_seconds)

    async def submit(self, item: T, producer: str = "") -> R:
        """The result for ``item`` of ``producer``. Raises what processing it raised, or ``Refusal``.

        An item that was given up before it was begun is never processed. One that was begun may still be.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        waiting = _Waiting(item, future)
        if not self._queue.put(waiting, producer):
            raise overloaded()
        # A timer of our own takes a third of the time of asyncio.timeout().
        timer = loop.call_later(self._timeout_seconds, self._time_out, waiting, future)
        try:
            return await future
        except asyncio.CancelledError:
            self._give_up(waiting)
            raise
        finally:
            timer.cancel()

    def _time_out(self, waiting: _Waiting[T, R], future: asyncio.Future[R]) -> None:
        given_up = self._give_up(waiting)
        if not future.done():
            future.set_exception(overloaded() if given_up else _still_working(self._timeout_seconds))

    def _give_up(self, waiting: _Waiting[T, R]) -> bool:
        with self._lock:
            if not waiting.begun and not waiting.given_up:
                waiting.given_up = True
                # The queue keeps the rest. The future's error keeps the request, by its traceback.
                del waiting.item, waiting.future
            return waiting.given_up

    def _run(self) -> None:
        while gathered := self._queue.take(self._max_batch):
            if begun := self._begin(gathered):
                self._resolve(begun)

    def _begin(self, gathered: list[_Waiting[T, R]]) -> list[_Waiting[T, R]]:
        with self._lock:
            begun = [waiting for waiting in gathered if not waiting.given_up]
            for waiting in begun:
                waiting.begun = True
            return begun

    def _resolve(self, begun: list[_Waiting[T, R]]) -> None:
        results = self._try([waiting.item for waiting in begun])
        loop = begun[0].future.get_loop()
        loop.call_soon_threadsafe(
            _set_results, [(waiting.future, result) for waiting, result in zip(begun, results, strict=True)]
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


def _still_working(seconds: float) -> Refusal:
    detail = (
        f"The request was begun and did not end within {seconds:g} s. It may still be accepted. Send it again with the"
        " same Idempotency-Key, dedup_key or notification_id; without one it may be accepted twice."
    )
    return Refusal(RefusalCode.TIMED_OUT, detail)


def _set_results(results: list[tuple[asyncio.Future[R], R | BaseException]]) -> None:
    for future, result in results:
        if future.done():  # it timed out, or its task was cancelled
            continue
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)
