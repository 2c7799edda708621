"""A queue that is shared fairly: it takes one item of each producer in turn, and one producer cannot fill it for all.

Between producers there is no order by time. The items of one producer keep their order, the urgent ones first.
"""

import queue
import threading
from collections import Counter, deque
from collections.abc import Mapping
from typing import Generic, TypeVar

T = TypeVar("T")
_Line = deque[tuple[T, int]]


def has_room(used: Mapping[str, int], producer: str, amount: int, most: int) -> bool:
    """Whether ``producer`` may use ``amount`` more of ``most``. ``used`` is by producer.

    All of it may be used, also by one producer. Beyond that, a producer may use its share: ``most``, divided by the
    number of producers and one. So one that fills a queue does not fill it for others, and a few times ``most`` is the
    most that can be used.

    >>> [has_room({"flood": 12}, producer, 1, most=12) for producer in ("flood", "other")]
    [False, True]
    """
    if sum(used.values()) + amount <= most:
        return True
    share = most // (len(used.keys() | {producer}) + 1)
    return used.get(producer, 0) + amount <= share


class FairQueue(Generic[T]):
    """Holds up to ``most`` items, and ``most_bytes`` bytes, by the rule of ``has_room``. Safe to share between threads.

    The bytes of what was taken count until the next ``take``: a thread that limits bytes is alone in taking.
    ``most_bytes`` of 0 is no limit.
    """

    def __init__(self, most: int, most_bytes: int = 0) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._urgent: dict[str, _Line[T]] = {}
        self._others: dict[str, _Line[T]] = {}
        self._items: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        self._in_hand: Counter[str] = Counter()
        self._closed = False
        self._lock = threading.Lock()
        # Holds one token while there is something to take: this wakes a thread faster than a condition does.
        self._ready: queue.SimpleQueue[None] = queue.SimpleQueue()

    def put(self, item: T, producer: str, *, size: int = 0, urgent: bool = False) -> bool:
        """Add ``item``, which has ``size`` bytes. Returns False, and adds nothing, if it does not fit."""
        with self._lock:
            if self._closed or not self._fits(producer, size):
                return False
            if not self._items:
                self._ready.put(None)
            lines = self._urgent if urgent else self._others
            lines.setdefault(producer, deque()).append((item, size))
            self._items[producer] += 1
            self._bytes[producer] += size
            return True

    def take(self, limit: int) -> list[T]:
        """Wait for an item, and take up to ``limit``. Empty when the queue is closed and nothing is left."""
        with self._lock:
            self._bytes -= self._in_hand
            self._in_hand.clear()
        while True:
            self._ready.get()
            with self._lock:
                taken: list[T] = []
                for lines in (self._urgent, self._others):
                    self._take(lines, limit, taken)
                if self._items or self._closed:
                    self._ready.put(None)
                if taken or self._closed:
                    return taken

    def close(self) -> None:
        """Add nothing more. What is left can still be taken."""
        with self._lock:
            self._closed = True
            self._ready.put(None)

    def clear(self) -> None:
        """Drop what is left."""
        with self._lock:
            self._urgent.clear()
            self._others.clear()
            self._items.clear()
            self._bytes = self._in_hand.copy()

    def _take(self, lines: dict[str, _Line[T]], limit: int, taken: list[T]) -> None:
        """Add items to ``taken``, one of each producer in turn."""
        while lines and len(taken) < limit:
            producer = next(iter(lines))  # the one that was added first, or again, the longest ago
            line = lines.pop(producer)
            item, size = line.popleft()
            if line:
                lines[producer] = line
            taken.append(item)
            self._in_hand[producer] += size
            subtract(self._items, producer, 1)

    def _fits(self, producer: str, size: int) -> bool:
        return has_room(self._items, producer, 1, self._most) and (
            not self._most_bytes or has_room(self._bytes, producer, size, self._most_bytes)
        )


def subtract(counter: Counter[str], producer: str, amount: int) -> None:
    """Subtract ``amount``, and forget a producer that has nothing left."""
    counter[producer] -= amount
    if counter[producer] <= 0:
        del counter[producer]
