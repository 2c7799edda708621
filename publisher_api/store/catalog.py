"""What changes rarely and is read by every request: channels, templates and API keys, kept in memory.

Postgres tells of changes by NOTIFY; a snapshot is also dropped when it is a minute old, for deployments behind a pooler
that does not pass notifications on, and for serverless ones that cannot listen.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from publisher_api.store.pool import Connected, Pool
from publisher_api.store.rows import ConfiguredChannel

_log = logging.getLogger(__name__)
_MAX_AGE_SECONDS = 60.0
_RECONNECT_SECONDS = 2.0
_FAILURE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The catalog at one moment. ``producers`` is keyed by the SHA-256 of the API key."""

    channels: dict[str, ConfiguredChannel]
    templates: dict[str, dict[str, Any]]
    producers: dict[bytes, str]


class Catalog:
    """Hands out the current ``Snapshot``; safe to share between threads."""

    def __init__(self, pool: Pool, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._snapshot: Snapshot | None = None
        self._read_at = 0.0
        self._changes = 0
        self._failure: tuple[float, psycopg.OperationalError] | None = None
        self._lock = threading.Lock()

    def cached(self) -> Snapshot | None:
        """The snapshot if it is fresh, without touching Postgres."""
        return self._snapshot if self._clock() - self._read_at < _MAX_AGE_SECONDS else None

    def current(self) -> Snapshot:
        """The snapshot, read anew where needed; one that is only old does until it can be.

        Raises ``psycopg.OperationalError`` when there is none.
        """
        with self._lock:
            if snapshot := self.cached():
                return snapshot
            changes, old = self._changes, self._snapshot
            try:
                snapshot = self._read()
            except psycopg.OperationalError:
                if old is None:
                    raise
                return old
            if changes == self._changes:  # else: changed while it was being read
                self._snapshot, self._read_at = snapshot, self._clock()
            return snapshot

    def _read(self) -> Snapshot:
        # Those who waited for the lock while Postgres did not answer need not each wait for it again.
        if self._failure and self._clock() - self._failure[0] < _FAILURE_SECONDS:
            raise self._failure[1]
        try:
            with self._pool.connection() as connection:
                return _read(connection)
        except psycopg.OperationalError as error:  # PoolTimeout is one as well
            self._failure = (self._clock(), error)
            _log.warning("the catalog cannot be read", extra={"error": type(error).__name__, "reason": str(error)})
            raise

    def drop(self) -> None:
        """Forget the snapshot: something changed."""
        self._changes += 1
        self._snapshot = None


def _read(connection: Connected) -> Snapshot:
    channels = connection.execute("select slug, kind, enabled, config, version from channels").fetchall()
    templates = connection.execute("select template_name, content from templates").fetchall()
    keys = connection.execute("select key_hash, producer from api_keys where revoked_at is null").fetchall()
    return Snapshot(
        channels={row["slug"]: ConfiguredChannel(**row) for row in channels},
        templates={row["template_name"]: row["content"] for row in templates},
        producers={bytes(row["key_hash"]): row["producer"] for row in keys},
    )


class CatalogListener:
    """A thread with a connection of its own that drops the catalog whenever Postgres says it changed."""

    def __init__(self, database_url: str, catalog: Catalog) -> None:
        self._database_url = database_url
        self._catalog = catalog
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="catalog-listener", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg.OperationalError:
                _log.warning("the catalog's listener lost Postgres and connects again")
                self._stopping.wait(_RECONNECT_SECONDS)

    def _listen(self) -> None:
        with psycopg.connect(self._database_url, autocommit=True, connect_timeout=3) as connection:
            connection.execute("listen catalog")
            self._catalog.drop()  # what changed while nobody listened
            while not self._stopping.is_set():
                for _ in connection.notifies(timeout=1.0):
                    self._catalog.drop()
