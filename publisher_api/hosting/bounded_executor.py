"""Runs what takes too long for the event loop in a few threads, and refuses what would wait too long for one."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from publisher_api.fair_queue import FairQueue, has_room, subtract
from publisher_api.refusal import overloaded
from shared.threads import Threads

R = TypeVar("R")
_MAX_QUEUED = 1000


class BoundedExecutor:
    """A few threads with a short queue, for one event loop. They work for each producer in turn.

    ``max_in_progress`` counts what runs and what waits, by the rule of ``has_room``. What does not begin within
    ``timeout_seconds`` never runs.
    """

    def __init__(self, threads: int, name: str, *, max_in_progress: int, timeout_seconds: float) -> None:
        self._max_in_progress = max_in_progress
        self._timeout_seconds = timeout_seconds
        self._in_progress: Counter[str] = Counter()
        # ``_in_progress`` refuses first. The queue also holds what was given up and never runs.
        self._queue = FairQueue[Callable[[], None]](_MAX_QUEUED)
        self._threads = Threads(threads, name)

    async def run(self, work: Callable[[], R], producer: str) -> R:
        """The result of ``work`` of ``producer``. Raises what ``work`` raises, or ``Refusal`` if it was not begun."""
        job: Future[R] = Future()
        if not has_room(self._in_progress, producer, 1, self._max_in_progress) or not self._queue.put(
            partial(_work_out, job, work), producer
        ):
            raise overloaded()
        self._threads.run(self._run_next)
        self._in_progress[producer] += 1
        result = asyncio.wrap_future(job)
        try:
            await asyncio.wait([result], timeout=self._timeout_seconds)
            if job.cancel():  # False once it runs
                raise overloaded()
            return await result
        finally:
            job.cancel()
            subtract(self._in_progress, producer, 1)

    def stop(self) -> None:
        """Finish what was begun, and what waits."""
        self._threads.stop()

    def _run_next(self) -> None:
        (work,) = self._queue.take(1)
        work()


def _work_out(job: Future[R], work: Callable[[], R]) -> None:
    if not job.set_running_or_notify_cancel():
        return
    try:
        job.set_result(work())
    except Exception as error:  # noqa: BLE001 - the error belongs to the task that waits, not to this thread
        job.set_exception(error)
