"""A transport in the memory of this process (contract: ``tests/contract/test_messaging.py`` and ``test_queues.py``)."""

import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic

from shared.topology import Subscription, subscriptions_to
from transport.port import Encoded, M, PublishError, Received, Taken


@dataclass(eq=False)
class _Stored:
    id: int
    message: Encoded
    dead_after: int | None = None
    attempts: int = 0
    visible_at: float = 0.0


class MemoryTransport:
    """Every publish call and every check raises ``error``, if it is set. No message over ``max_bytes`` is accepted."""

    def __init__(self, error: PublishError | None = None, max_bytes: int = 1_000_000) -> None:
        self.error = error
        self.max_bytes = max_bytes
        self.changed = threading.Condition()
        self._stored: dict[str, list[_Stored]] = defaultdict(list)
        self._ids = itertools.count(1)

    def topic(self, name: str, encode: Callable[[M], Encoded]) -> "MemoryTopic[M]":
        return MemoryTopic(self, name, encode)

    def queue(self, subscription: Subscription) -> "MemoryQueue":
        return MemoryQueue(self, subscription, self._stored[subscription.name])

    def epoch(self) -> None:
        """None: nothing here outlives the process, so nothing can be lost alone."""

    def close(self) -> None:
        pass

    def messages(self, subscription: str) -> list[Encoded]:
        """What ``subscription`` holds, in the order in which it was published."""
        with self.changed:
            return [each.message for each in self._stored[subscription]]

    def store(self, topic: str, message: Encoded, dead_after: int | None = None) -> None:
        """Give each subscription to ``topic`` a copy of ``message``, if its filter lets it pass."""
        with self.changed:
            for subscription in subscriptions_to(topic):
                if subscription.gets(message.attributes):
                    self._stored[subscription.name].append(_Stored(next(self._ids), message, dead_after))
            self.changed.notify_all()


class MemoryTopic(Generic[M]):
    def __init__(self, transport: MemoryTransport, name: str, encode: Callable[[M], Encoded]) -> None:
        self._transport = transport
        self._name = name
        self._encode = encode

    def publish(self, messages: Sequence[M]) -> Iterator[list[M]]:
        self.check()
        stored = []
        for message in messages:
            encoded = self._encode(message)
            if len(encoded.data) <= self._transport.max_bytes:
                self._transport.store(self._name, encoded)
                stored.append(message)
        yield stored

    def check(self) -> None:
        if self._transport.error:
            raise self._transport.error

    def close(self) -> None:
        pass


class MemoryQueue:
    """One subscription. The mark of a taken message is what is stored, and its attempt."""

    def __init__(self, transport: MemoryTransport, subscription: Subscription, stored: list[_Stored]) -> None:
        self._transport = transport
        self._changed = transport.changed
        self._subscription = subscription
        self._stored = stored
        self._woken = False

    def take(self, limit: int, wait_seconds: float) -> list[Taken]:
        deadline = time.monotonic() + wait_seconds
        with self._changed:
            while not (due := self._due()):
                now = time.monotonic()
                if self._woken or now >= deadline:
                    self._woken = False
                    return []
                self._changed.wait(min([deadline, *(each.visible_at for each in self._stored)]) - now)
            return [self._take(each) for each in due[:limit]]

    def wake(self) -> None:
        with self._changed:
            self._woken = True  # also for a take that has not begun to wait yet
            self._changed.notify_all()

    def done(self, taken: Sequence[Taken]) -> None:
        with self._changed:
            for each in taken:
                stored, _ = each.mark
                if stored in self._stored:
                    self._stored.remove(stored)

    def again(self, taken: Taken, after_seconds: float) -> None:
        with self._changed:
            if stored := self._held(taken):
                stored.visible_at = time.monotonic() + after_seconds
                self._changed.notify_all()

    def bury(self, taken: Taken) -> None:
        with self._changed:
            if stored := self._held(taken):
                self._stored.remove(stored)
                if letters := self._subscription.dead_letters:
                    self._transport.store(letters.topic, stored.message, dead_after=stored.attempts)

    def close(self) -> None:
        pass

    def _due(self) -> list[_Stored]:
        now = time.monotonic()
        return [each for each in self._stored if each.visible_at <= now]

    def _take(self, stored: _Stored) -> Taken:
        stored.attempts += 1
        stored.visible_at = time.monotonic() + self._subscription.ack_deadline_seconds
        received = Received(
            data=stored.message.data,
            attributes=stored.message.attributes,
            attempt=stored.attempts,
            id=str(stored.id),
            subscription=self._subscription.name,
            dead_after=stored.dead_after,
        )
        return Taken(received, (stored, stored.attempts))

    def _held(self, taken: Taken) -> _Stored | None:
        """The message, unless it is settled or was taken again since."""
        stored, attempt = taken.mark
        return stored if stored in self._stored and stored.attempts == attempt else None
