"""What we live on: Postgres, Pub/Sub, and somebody who sweeps.

Anybody may ask for our health, so asking is cheap: whoever asks within a second of another is told the same.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

import psycopg
from fastapi.concurrency import run_in_threadpool

from publisher_api.store import outbox
from publisher_api.store.pool import Pool
from publisher_api.topic import PublishError, Topic

T = TypeVar("T")
_FRESH_SECONDS = 1.0


class Recent(Generic[T]):
    """What ``find_out`` said less than a second ago, or is about to say: many ask, one asks on."""

    def __init__(self, find_out: Callable[[], T], clock: Callable[[], float] = time.monotonic) -> None:
        self._find_out = find_out
        self._clock = clock
        self._found: tuple[T, float] | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> T:
        async with self._lock:
            if self._found is None or self._clock() - self._found[1] >= _FRESH_SECONDS:
                self._found = (await run_in_threadpool(self._find_out), self._clock())
            return self._found[0]


class Vitals:
    """``connections``: a ``status`` and milliseconds for ``postgres`` and ``pubsub``; ``sweep``: the sweep's status."""

    def __init__(self, pool: Pool, topic: Topic, clock: Callable[[], datetime]) -> None:
        self.connections = Recent(lambda: {"postgres": _postgres(pool), "pubsub": _pubsub(topic)})
        self.sweep = Recent(lambda: _sweep(pool, clock))


def _postgres(pool: Pool) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        with pool.connection() as connection:
            connection.execute("select 1")
    except psycopg.Error as error:
        return {"status": "unreachable", "error": type(error).__name__}
    return {"status": "ok", "ms": _milliseconds_since(started)}


def _pubsub(topic: Topic) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        topic.check()
    except PublishError as error:
        return {"status": "unreachable", "error": type(error).__name__}
    return {"status": "ok", "ms": _milliseconds_since(started)}


def _sweep(pool: Pool, clock: Callable[[], datetime]) -> dict[str, str]:
    try:
        with pool.connection() as connection:
            neglected = outbox.is_neglected(connection, clock())
    except psycopg.Error as error:
        return {"status": "unknown", "error": type(error).__name__}
    return {"status": "neglected" if neglected else "ok"}


def _milliseconds_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
