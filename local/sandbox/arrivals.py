"""What the providers took, kept in memory for the page and for tests."""

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

_KEPT = 50_000


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One message a provider took. ``number`` grows by one with each; ``content`` depends on ``channel``.

    ``answered`` is False where the provider took it and never said so.
    """

    number: int
    channel: str
    provider: str
    provider_message_id: str
    recipient: str
    at: datetime
    answered: bool
    content: dict[str, Any]


@dataclass(slots=True)
class Arrivals:
    """The newest 50,000, oldest first."""

    _kept: deque[Arrival] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def add(self, **facts: Any) -> Arrival:
        """Keep an arrival with these fields; its number is given here."""
        arrival = Arrival(number=next(self._numbers), **facts)
        self._kept.append(arrival)
        return arrival

    def after(self, number: int, limit: int) -> list[Arrival]:
        """The newest ``limit`` of those that came after ``number``, oldest first."""
        newest = itertools.takewhile(lambda arrival: arrival.number > number, reversed(self._kept))
        return list(itertools.islice(newest, limit))[::-1]

    def clear(self) -> None:
        """Forget all; numbers go on growing."""
        self._kept.clear()
