"""The use cases of event types."""

from collections.abc import Collection, Mapping
from typing import Any

from postgres.pool import Connected, Pool
from publisher_api.audit.service import record
from publisher_api.configuration import TemplateKey, TemplateVersions
from publisher_api.db.config_cache import ConfigCache
from publisher_api.event_types import store
from publisher_api.event_types.model import EventTypeFields, EventTypePage, EventTypeVersions, EventTypeView
from publisher_api.planning.route import unknown_channel
from publisher_api.planning.variants import template_for
from publisher_api.principal import Principal
from publisher_api.refusal import Refusal, not_found
from publisher_api.retention.model import StoredType
from publisher_api.retention.service import check_change


def put_event_type(
    pool: Pool, cache: ConfigCache, name: str, fields: EventTypeFields, caller: Principal
) -> EventTypeView:
    """Declare an event type, or replace its declaration. Raises ``Refusal``."""
    templates = cache.current().templates
    with pool.connection() as connection:
        check(fields, store.hold_channels(connection), templates)
        store.lock_event_types(connection)
        before = store.get_event_type(connection, name)
        check_change(connection, _retention(name, before), _retention(name, fields), caller)
        view = store.put_event_type(connection, name, fields)
        old = _recorded(before) if before is not None else None
        record(connection, caller, "event_type.put", _place(name), before=old, after=_recorded(view))
    cache.drop()
    return view


def get_event_type(pool: Pool, name: str) -> EventTypeView:
    """The event type. Raises ``Refusal``."""
    with pool.connection() as connection:
        view = store.get_event_type(connection, name)
    if view is None:
        raise _undeclared(name)
    return view


def list_event_types(pool: Pool, limit: int, after: str | None) -> EventTypePage:
    """A page of the declared event types, by name."""
    with pool.connection() as connection:
        found = store.list_event_types(connection, limit + 1, after)
    following = found[limit - 1].event_type if len(found) > limit else None
    return EventTypePage(event_types=found[:limit], next=following)


def list_versions(pool: Pool, name: str, limit: int, before: int | None) -> EventTypeVersions:
    """A page of what was declared under this name, the newest version first. Raises ``Refusal``."""
    with pool.connection() as connection:
        versions = store.list_versions(connection, name, limit + 1, before)
        if not versions and store.get_event_type(connection, name) is None:
            raise _undeclared(name)
    following = versions[limit - 1].version if len(versions) > limit else None
    return EventTypeVersions(event_types=versions[:limit], next=following)


def delete_event_type(pool: Pool, cache: ConfigCache, name: str, caller: Principal) -> None:
    """Delete the declaration. Raises ``Refusal``."""
    with pool.connection() as connection:
        store.lock_event_types(connection)
        before = store.get_event_type(connection, name)
        if before is None:
            raise _undeclared(name)
        check_change(connection, _retention(name, before), _retention(name, None), caller)
        store.delete_event_type(connection, name)
        record(connection, caller, "event_type.delete", _place(name), before=_recorded(before))
    cache.drop()


def event_types_with_channel(connection: Connected, slug: str) -> list[str]:
    """The names of the declared event types that name this channel, sorted."""
    return store.event_types_with_channel(connection, slug)


def check(
    fields: EventTypeFields, channels: Collection[str], templates: Mapping[TemplateKey, TemplateVersions]
) -> None:
    """Raises ``Refusal`` for channels or a template that do not exist: every notification would be refused."""
    for index, slug in enumerate(fields.channels):
        if slug not in channels:
            raise unknown_channel(slug, channels, f"channels.{index}")
    template_for(fields.template_name, None, templates, tenant=None)


def _retention(name: str, declared: EventTypeFields | None) -> StoredType:
    if declared is None:
        return StoredType(event_type=name)
    return StoredType(event_type=name, retention_days=declared.retention_days, category=declared.category)


def _recorded(view: EventTypeView) -> dict[str, Any]:
    return view.model_dump(include=set(EventTypeFields.model_fields), exclude_defaults=True)


def _place(name: str) -> str:
    return f"event-types/{name}"


def _undeclared(name: str) -> Refusal:
    return not_found(f"Event type {name!r}", f"Declare it with PUT /v1/event-types/{name}.")
