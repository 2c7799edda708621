"""Threads that are woken with as few switches between threads as possible.

Python runs one thread at a time, so each switch costs every other thread of the process. The classes of the standard
library (``ThreadPoolExecutor``, ``Future``) pass each result through conditions, whose lock both sides need.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

R = TypeVar("R")
_NO_LIMIT = -1.0


class Answer(Generic[R]):
    """A result, or an error, that one thread gives and one other thread waits for."""

    __slots__ = ("_error", "_given", "_result")

    def __init__(self) -> None:
        self._given = threading.Lock()
        self._given.acquire()
        self._error: Exception | None = None
        self._result: R

    def give(self, result: R) -> None:
        self._result = result
        self._given.release()

    def fail(self, error: Exception) -> None:
        self._error = error
        self._given.release()

    def work_out(self, call: Callable[[], R]) -> None:
        """Give what ``call`` returns, or fail with the error that it raises."""
        try:
            result = call()
        except Exception as error:  # noqa: BLE001 - the error belongs to the thread that waits
            self.fail(error)
        else:
            self.give(result)

    def is_given(self, within_seconds: float = _NO_LIMIT) -> bool:
        """Wait for the answer; False if there is none after ``within_seconds``. Call it until it returns True."""
        return self._given.acquire(timeout=within_seconds)

    def get(self) -> R:
        """The result. Raises the error. Call it after ``is_given`` returned True."""
        if self._error is not None:
            raise self._error
        return self._result


class Threads:
    """Runs each piece of work in a thread, at most ``limit`` at a time; the rest waits. A thread is started when none
    is free. ``work`` must raise nothing. The threads do not keep the process from ending.
    """

    def __init__(self, limit: int, name: str) -> None:
        self._limit = limit
        self._name = name
        self._waiting: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._free = 0
        self._started: list[threading.Thread] = []

    def run(self, work: Callable[[], None]) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
            elif len(self._started) < self._limit:
                self._start()
        self._waiting.put(work)

    def stop(self) -> None:
        """Return when all work is done. Run nothing afterwards."""
        for _ in self._started:
            self._waiting.put(None)
        for each in self._started:
            each.join()

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._started)}", daemon=True)
        self._started.append(thread)
        thread.start()

    def _work(self) -> None:
        while (work := self._waiting.get()) is not None:
            work()
            del work  # it may hold what was delivered
            with self._lock:
                self._free += 1  # too many once work has waited, when all threads are started and none is counted on
