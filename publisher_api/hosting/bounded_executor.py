"""Runs what takes too long for the event loop in a few threads, and refuses what would wait too long for one."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from publisher_api.fair_queue import has_room, subtract
from publisher_api.refusal import overloaded

R = TypeVar("R")


class BoundedExecutor:
    """A few threads with a short queue, for one event loop. They do one piece of work of each producer at a time.

    So a producer that sends much leaves the other threads to others, and they take turns.

    ``max_in_progress`` counts what runs and what waits, by the rule of ``has_room``. What does not begin within
    ``timeout_seconds`` never runs.
    """

    def __init__(self, threads: int, name: str, *, max_in_progress: int, timeout_seconds: float) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._max_in_progress = max_in_progress
        self._timeout_seconds = timeout_seconds
        self._in_progress: Counter[str] = Counter()
        self._turns: dict[str, asyncio.Lock] = {}

    async def run(self, work: Callable[[], R], producer: str) -> R:
        """The result of ``work`` of ``producer``. Raises what ``work`` raises, or ``Refusal`` if it was not begun."""
        if not has_room(self._in_progress, producer, 1, self._max_in_progress):
            raise overloaded()
        self._in_progress[producer] += 1
        try:
            return await self._run_in_turn(work, self._turns.setdefault(producer, asyncio.Lock()))
        finally:
            subtract(self._in_progress, producer, 1)
            if producer not in self._in_progress:
                del self._turns[producer]

    async def _run_in_turn(self, work: Callable[[], R], turn: asyncio.Lock) -> R:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout_seconds
        try:
            await asyncio.wait_for(turn.acquire(), self._timeout_seconds)
        except TimeoutError:
            raise overloaded() from None
        job = self._threads.submit(work)
        result = asyncio.wrap_future(job)
        try:
            await asyncio.wait([result], timeout=deadline - loop.time())
            if job.cancel():  # False once it runs
                raise overloaded()
            return await result
        finally:
            job.cancel()
            turn.release()

    def stop(self) -> None:
        """Finish what was begun, and what waits."""
        self._threads.shutdown()
