"""Keeps in memory what the provider stubs accepted, and the entries of inboxes, for the page and for tests."""

import itertools
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

_KEPT = 50_000


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a provider stub accepted, or an entry of a user's inbox.

    The fields of ``content`` depend on the channel type. ``number`` grows by one with each arrival. ``answered`` is
    False where the stub did not respond. Of an entry, ``provider`` is the store, and ``provider_message_id`` is the
    notification's id.
    """

    number: int
    channel_type: str
    provider: str
    provider_message_id: str
    recipient: str
    at: datetime
    answered: bool
    content: dict[str, Any]


@dataclass(slots=True)
class Arrivals:
    """The newest 50,000 arrivals, oldest first. Threads may share it."""

    _kept: deque[Arrival] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, **fields: Any) -> Arrival:
        """Keep an arrival with these fields and the next number."""
        with self._lock:  # so that numbers are added in their order
            arrival = Arrival(number=next(self._numbers), **fields)
            self._kept.append(arrival)
        return arrival

    def after(self, number: int, limit: int) -> list[Arrival]:
        """The arrivals with a number above ``number``: the newest ``limit`` of them, oldest first."""
        with self._lock:
            newest = itertools.takewhile(lambda arrival: arrival.number > number, reversed(self._kept))
            return list(itertools.islice(newest, limit))[::-1]

    def clear(self) -> None:
        """Delete all arrivals. The numbers keep growing."""
        with self._lock:
            self._kept.clear()
