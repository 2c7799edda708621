"""Keeps what operators configure in memory: it changes rarely, and every request reads it.

Postgres announces changes by NOTIFY. A snapshot is also dropped after a minute, for deployments behind a pooler that
does not forward notifications, and for serverless ones that cannot listen.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import msgspec
import psycopg
from psycopg.rows import DictRow

from postgres.listener import Listener
from postgres.pool import Connected, Pool, fetch_one
from publisher_api.api_keys.model import ApiKey
from publisher_api.channels.model import Channel
from publisher_api.configuration import Configuration, Template
from publisher_api.event_types.model import EventType
from publisher_api.preferences.model import Preferences
from publisher_api.principal import Principal, scopes_of
from shared.log_events import LogEvent
from shared.logs import EventLogger

_log = EventLogger(__name__)
_MAX_AGE_SECONDS = 60.0
_FAILURE_SECONDS = 1.0
# So long a refusal says that a key has expired. Afterwards it is unknown.
_EXPIRED_KEPT_FOR = timedelta(days=30)


class ConfigCache:
    """Hands out the current ``Configuration``; safe to share between threads."""

    def __init__(self, pool: Pool, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._snapshot: _Snapshot | None = None
        self._state = object()
        self._failure: tuple[float, psycopg.OperationalError] | None = None
        self._templates: dict[str, _StoredTemplate] = {}
        self._lock = threading.Lock()

    def cached(self) -> Configuration | None:
        """The snapshot if it is fresh, without asking Postgres."""
        snapshot = self._snapshot
        if snapshot is None or snapshot.state is not self._state:
            return None
        return snapshot.configuration if self._clock() - snapshot.loaded_at < _MAX_AGE_SECONDS else None

    def current(self) -> Configuration:
        """The snapshot, reloaded when stale. If Postgres is down, returns the stale snapshot.

        Raises ``psycopg.OperationalError`` when there is none, or when it was dropped.
        """
        with self._lock:
            if configuration := self.cached():
                return configuration
            state, stale = self._state, self._snapshot
            try:
                configuration = self._load()
            except psycopg.OperationalError:
                if stale is None or stale.state is not state:
                    raise
                return stale.configuration
            self._snapshot = _Snapshot(configuration, self._clock(), state)
            return configuration

    def _load(self) -> Configuration:
        # Threads that waited for the lock while Postgres was unavailable do not each wait for it again.
        if self._failure and self._clock() - self._failure[0] < _FAILURE_SECONDS:
            raise self._failure[1]
        try:
            with self._pool.connection() as connection:
                self._templates = _load_templates(connection, self._templates)
                return _load(connection, self._templates)
        except psycopg.OperationalError as error:  # includes PoolTimeout
            self._failure = (self._clock(), error)
            _log.warning(LogEvent.CONFIG_LOAD_FAILED, error=type(error).__name__, cause=str(error))
            raise

    def drop(self) -> None:
        """Drop the snapshot, because something changed. Also drops what is being loaded at this moment."""
        self._state = object()


class _Snapshot(NamedTuple):
    """A configuration, and the state of the cache when its load began. It is used while the state is the same."""

    configuration: Configuration
    loaded_at: float
    state: object


@dataclass(frozen=True, slots=True)
class _StoredTemplate:
    """``version`` changes whenever the row does."""

    version: str
    content: Template


def _load_templates(connection: Connected, known: Mapping[str, _StoredTemplate]) -> dict[str, _StoredTemplate]:
    """Every template. Reads the content of those only that have changed: together they may be large."""
    rows = connection.execute("select template_name, xmin::text as version from templates").fetchall()
    versions = {row["template_name"]: row["version"] for row in rows}
    kept = {name: stored for name, stored in known.items() if stored.version == versions.get(name)}
    changed = connection.execute(
        "select template_name, xmin::text as version, content from templates where template_name = any(%s)",
        [[name for name in versions if name not in kept]],
    ).fetchall()
    return kept | {row["template_name"]: _StoredTemplate(row["version"], row["content"]) for row in changed}


def _load(connection: Connected, templates: Mapping[str, _StoredTemplate]) -> Configuration:
    channels = connection.execute(
        "select slug, kind as channel_type, enabled, config, version from channels"
    ).fetchall()
    event_types = connection.execute("select event_type, version, declaration from event_types").fetchall()
    defaults = fetch_one(connection.execute("select document from preference_defaults"))["document"]
    keys = connection.execute(
        """
        select key_hash, key_id, prefix, producer, scopes, tenant, expires_at from api_keys
         where revoked_at is null and (expires_at is null or expires_at > now() - %s)
        """,
        [_EXPIRED_KEPT_FOR],
    ).fetchall()
    return Configuration(
        channels={row["slug"]: Channel(**row) for row in channels},
        templates={name: stored.content for name, stored in templates.items()},
        api_keys={bytes(row["key_hash"]): _api_key(row) for row in keys},
        event_types={row["event_type"]: _event_type(row) for row in event_types},
        preferences=msgspec.convert(defaults, Preferences),
    )


def _event_type(row: DictRow) -> EventType:
    return msgspec.convert(
        {**row["declaration"], "event_type": row["event_type"], "version": row["version"]}, EventType
    )


def _api_key(row: DictRow) -> ApiKey:
    credential = row["prefix"] or str(row["key_id"])
    principal = Principal(row["producer"], credential, scopes_of(row["scopes"]), row["tenant"])
    return ApiKey(row["key_id"], principal, row["expires_at"])


def config_listener(database_url: str, cache: ConfigCache) -> Listener:
    """Drops the snapshot of ``cache`` when Postgres announces a change, and when changes may have been missed.

    Triggers on the tables notify the channel.
    """
    disconnected = LogEvent.CONFIG_LISTENER_DISCONNECTED
    return Listener(database_url, "catalog", lambda _: cache.drop(), cache.drop, disconnected)
