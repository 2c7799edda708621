"""Runs what takes too long for the event loop in a few threads, and refuses what would wait too long for one."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
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
        """The result of ``work`` of ``producer``. Raises what ``work`` raises, or ``Refusal`` if it was not begun.

        Work that runs goes on when its caller is cancelled, and keeps its place until it ends.
        """
        if not has_room(self._in_progress, producer, 1, self._max_in_progress):
            raise overloaded()
        self._in_progress[producer] += 1
        turn = self._turns.setdefault(producer, asyncio.Lock())
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout_seconds
        try:
            job = await self._begin(work, turn, deadline)
        except BaseException:
            self._give_up_place(producer)
            raise
        job.add_done_callback(lambda _: loop.call_soon_threadsafe(self._end, producer, turn))
        result = asyncio.wrap_future(job)
        try:
            await asyncio.wait([result], timeout=deadline - loop.time())
            if job.cancel():  # False once it runs
                raise overloaded()
            return await result
        finally:
            job.cancel()

    def stop(self) -> None:
        """Finish what runs and what waits for a thread. What waits for its turn is refused."""
        self._threads.shutdown()

    async def _begin(self, work: Callable[[], R], turn: asyncio.Lock, deadline: float) -> Future[R]:
        """Give ``work`` to the threads in its turn, which is then taken."""
        try:
            async with asyncio.timeout_at(deadline):
                await turn.acquire()
        except TimeoutError:
            raise overloaded() from None
        try:
            return self._threads.submit(work)
        except RuntimeError:  # stopped while this waited
            turn.release()
            raise overloaded() from None

    def _end(self, producer: str, turn: asyncio.Lock) -> None:
        turn.release()
        self._give_up_place(producer)

    def _give_up_place(self, producer: str) -> None:
        subtract(self._in_progress, producer, 1)
        if producer not in self._in_progress:
            del self._turns[producer]
