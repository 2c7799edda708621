"""Calls functions at a time of their own, all in one thread: a thread for each would cost more than what it guards."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Alarm:
    """One call. ``cancel`` prevents it, unless it has begun."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self._call = None

    def ring(self) -> None:
        if (call := self._call) is not None:
            call()


class Alarms:
    """The alarms of a process. Their calls must not wait, and must raise nothing. The thread begins with the first."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, Alarm]] = []
        self._thread: threading.Thread | None = None

    def set(self, at: float, call: Callable[[], None]) -> Alarm:
        """Call ``call`` at ``at``, a time of ``time.monotonic()``."""
        alarm = Alarm(call)
        with self._changed:
            heapq.heappush(self._waiting, (at, next(self._numbers), alarm))
            if self._waiting[0][2] is alarm:
                self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        return alarm

    def _run(self) -> None:
        while True:
            self._next().ring()

    def _next(self) -> Alarm:
        """Wait for the next alarm that is due, and return it."""
        with self._changed:
            while True:
                left = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(left)
