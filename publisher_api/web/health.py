"""Health checks for Postgres, the transport and the sweeper, cached for one second, because anyone may call them."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Generic, Literal, TypeVar

import anyio
import anyio.to_thread
import psycopg
from pydantic import BaseModel, Field

from postgres.pool import Pool
from publisher_api.outbox.sweeper import sweep_is_overdue
from shared.envelope import Message
from transport.port import PublishError, Topic

T = TypeVar("T")
_FRESH_SECONDS = 1.0


class ConnectionHealth(BaseModel):
    """Whether one connection works: `ms` is how long the check took; `error` names what failed."""

    status: Literal["ok", "unreachable"]
    ms: float | None = None
    error: str | None = None


class HealthView(BaseModel):
    """`ok`; `degraded` while the transport is unavailable (Pub/Sub, for example); `down` while Postgres is."""

    status: Literal["ok", "degraded", "down"]
    postgres: ConnectionHealth
    transport: ConnectionHealth


class ReadyView(BaseModel):
    """The process serves requests."""

    status: Literal["ok"] = "ok"


class SweepView(BaseModel):
    """`ok`; `overdue` when work is due for so long that no sweep can be running; `unknown` without Postgres."""

    status: Literal["ok", "overdue", "unknown"]
    error: str | None = Field(default=None)


class Cached(Generic[T]):
    """The value of ``check``, at most one second old. Concurrent callers wait for one check."""

    def __init__(self, check: Callable[[], T], clock: Callable[[], float] = time.monotonic) -> None:
        self._check = check
        self._clock = clock
        self._found: tuple[T, float] | None = None
        self._lock = asyncio.Lock()
        # Not one of the threads that all routes share: those may all be waiting.
        self._thread = anyio.CapacityLimiter(1)

    async def get(self) -> T:
        async with self._lock:
            if self._found is None or self._clock() - self._found[1] >= _FRESH_SECONDS:
                self._found = (await anyio.to_thread.run_sync(self._check, limiter=self._thread), self._clock())
            return self._found[0]


class Health:
    """``connections`` checks Postgres and the transport; ``sweep`` checks that something sweeps the outbox."""

    def __init__(self, pool: Pool, topic: Topic[Message], clock: Callable[[], datetime]) -> None:
        self.connections = Cached(lambda: _connections(pool, topic))
        self.sweep = Cached(lambda: _sweep(pool, clock))


def _connections(pool: Pool, topic: Topic[Message]) -> HealthView:
    postgres, transport = _postgres(pool), _transport(topic)
    if postgres.status != "ok":
        return HealthView(status="down", postgres=postgres, transport=transport)
    return HealthView(status="ok" if transport.status == "ok" else "degraded", postgres=postgres, transport=transport)


def _postgres(pool: Pool) -> ConnectionHealth:
    started = time.perf_counter()
    try:
        with pool.connection() as connection:
            connection.execute("select 1")
    except psycopg.Error as error:
        return ConnectionHealth(status="unreachable", error=type(error).__name__)
    return ConnectionHealth(status="ok", ms=_milliseconds_since(started))


def _transport(topic: Topic[Message]) -> ConnectionHealth:
    started = time.perf_counter()
    try:
        topic.check()
    except PublishError as error:
        return ConnectionHealth(status="unreachable", error=str(error))
    return ConnectionHealth(status="ok", ms=_milliseconds_since(started))


def _sweep(pool: Pool, clock: Callable[[], datetime]) -> SweepView:
    try:
        overdue = sweep_is_overdue(pool, clock())
    except psycopg.Error as error:
        return SweepView(status="unknown", error=type(error).__name__)
    return SweepView(status="overdue" if overdue else "ok")


def _milliseconds_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
