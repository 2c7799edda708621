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
from publisher_api.configuration import Configuration, Template, TemplateKey, TemplateVersions
from publisher_api.event_types.model import EventType
from publisher_api.limits.model import LimitFields, limits_of
from publisher_api.preferences.model import Preferences
from publisher_api.principal import Principal, scopes_of
from shared.log_events import LogEvent
from shared.logs import EventLogger

_log = EventLogger(__name__)
_MAX_AGE_SECONDS = 60.0
_FAILURE_SECONDS = 1.0
# So long a refusal says that a key has expired. Afterwards it is unknown.
_EXPIRED_KEPT_FOR = timedelta(days=30)
# Requests can name these and the published one. Each is held in memory by every instance.
NEWEST_VERSIONS = 5


class ConfigCache:
    """Hands out the current ``Configuration``; safe to share between threads."""

    def __init__(self, pool: Pool, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._snapshot: _Snapshot | None = None
        self._state = object()
        self._failure: tuple[float, psycopg.OperationalError] | None = None
        self._templates: dict[_VersionKey, _StoredVersion] = {}
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
                return _load(connection, _by_template(self._templates))
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


_VersionKey = tuple[TemplateKey, int]


@dataclass(frozen=True, slots=True)
class _StoredVersion:
    """A version of a template. ``row`` is another one if the version was deleted and stored again."""

    row: str
    published: bool
    template: Template


def _load_templates(
    connection: Connected, known: Mapping[_VersionKey, _StoredVersion]
) -> dict[_VersionKey, _StoredVersion]:
    """The published and the newest versions of every template.

    Reads the content of those only that are not ``known``: together they may be large.
    """
    listed = connection.execute(
        """
        with recursive names as (  -- steps from name to name in the index; a distinct would read every version
            (select tenant, template_name from template_versions order by tenant, template_name limit 1)
            union all
            select following.* from names cross join lateral (
                select tenant, template_name from template_versions v
                 where (v.tenant, v.template_name) > (names.tenant, names.template_name)
                 order by tenant, template_name limit 1
            ) following
        )
        select nullif(tenant, '') as tenant, template_name, v.version, v.row, v.version = p.version as published
          from names left join published_templates p using (tenant, template_name)
         cross join lateral (
            (select version, xmin::text as row from template_versions
              where tenant = names.tenant and template_name = names.template_name order by version desc limit %s)
            union
            select version, xmin::text from template_versions
             where tenant = p.tenant and template_name = p.template_name and version = p.version
         ) v
        """,
        [NEWEST_VERSIONS],
    ).fetchall()
    rows = {_version_key(row): row for row in listed}
    missing = [key for key, row in rows.items() if key not in known or known[key].row != row["row"]]
    read = connection.execute(
        """
        select nullif(tenant, '') as tenant, template_name, version, content, locales
          from unnest(%s::text[], %s::text[], %s::int[]) as wanted (tenant, template_name, version)
          join template_versions using (tenant, template_name, version)
        """,
        [[tenant or "" for (tenant, _), _ in missing], [name for (_, name), _ in missing], [n for _, n in missing]],
    ).fetchall()
    templates = {key: stored.template for key, stored in known.items()} | {
        _version_key(row): Template(row["version"], row["content"], row["locales"]) for row in read
    }
    return {
        key: _StoredVersion(row["row"], bool(row["published"]), templates[key])
        for key, row in rows.items()
        if key in templates
    }


def _version_key(row: DictRow) -> _VersionKey:
    return (row["tenant"], row["template_name"]), row["version"]


def _by_template(stored: Mapping[_VersionKey, _StoredVersion]) -> dict[TemplateKey, TemplateVersions]:
    versions: dict[TemplateKey, dict[int, Template]] = {}
    for (template, version), each in stored.items():
        versions.setdefault(template, {})[version] = each.template
    published = {template: version for (template, version), each in stored.items() if each.published}
    return {template: TemplateVersions(published.get(template), found) for template, found in versions.items()}


def _load(connection: Connected, templates: Mapping[TemplateKey, TemplateVersions]) -> Configuration:
    channels = connection.execute(
        "select slug, kind as channel_type, enabled, config, version from channels"
    ).fetchall()
    event_types = connection.execute("select event_type, version, declaration from event_types").fetchall()
    defaults = fetch_one(connection.execute("select document from preference_defaults"))["document"]
    limits = connection.execute("select scope, declaration from limits").fetchall()
    keys = connection.execute(
        """
        select key_hash, key_id, prefix, producer, scopes, tenant, ends_at
          from api_keys, lateral (select least(expires_at, overlap_ends_at) as ends_at) as ending
         where revoked_at is null and (ends_at is null or ends_at > now() - %s)
        """,
        [_EXPIRED_KEPT_FOR],
    ).fetchall()
    by_slug = {row["slug"]: Channel(**row) for row in channels}
    return Configuration(
        channels=by_slug,
        templates=templates,
        api_keys={bytes(row["key_hash"]): _api_key(row) for row in keys},
        event_types={row["event_type"]: _event_type(row) for row in event_types},
        preferences=msgspec.convert(defaults, Preferences),
        limits=limits_of(
            {row["scope"]: LimitFields.model_validate(row["declaration"]).as_limit() for row in limits}, by_slug
        ),
    )


def _event_type(row: DictRow) -> EventType:
    return msgspec.convert(
        {**row["declaration"], "event_type": row["event_type"], "version": row["version"]}, EventType
    )


def _api_key(row: DictRow) -> ApiKey:
    credential = row["prefix"] or str(row["key_id"])
    principal = Principal(row["producer"], credential, scopes_of(row["scopes"]), row["tenant"])
    return ApiKey(row["key_id"], principal, row["ends_at"])


def config_listener(database_url: str, cache: ConfigCache) -> Listener:
    """Drops the snapshot of ``cache`` when Postgres announces a change, and when changes may have been missed.

    Triggers on the tables notify the channel.
    """
    disconnected = LogEvent.CONFIG_LISTENER_DISCONNECTED
    return Listener(database_url, "catalog", lambda _: cache.drop(), cache.drop, disconnected)
