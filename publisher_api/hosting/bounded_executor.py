"""Runs what takes too long for the event loop in a few threads, and refuses what would wait too long for one."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from publisher_api.refusal import overloaded

R = TypeVar("R")


class BoundedExecutor:
    """A few threads with a short queue, for one event loop.

    ``max_in_progress`` counts what runs and what waits. What does not begin within ``timeout_seconds`` never runs.
    """

    def __init__(self, threads: int, name: str, *, max_in_progress: int, timeout_seconds: float) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._max_in_progress = max_in_progress
        self._timeout_seconds = timeout_seconds
        self._in_progress = 0

    async def run(self, work: Callable[[], R]) -> R:
        """The result of ``work``. Raises what ``work`` raises, or ``Refusal`` if it was not begun."""
        if self._in_progress >= self._max_in_progress:
            raise overloaded()
        self._in_progress += 1
        job = self._threads.submit(work)
        result = asyncio.wrap_future(job)
        try:
            await asyncio.wait([result], timeout=self._timeout_seconds)
            if job.cancel():  # False once it runs
                raise overloaded()
            return await result
        finally:
            job.cancel()
            self._in_progress -= 1

    def stop(self) -> None:
        """Finish what was begun, and what waits."""
        self._threads.shutdown()
