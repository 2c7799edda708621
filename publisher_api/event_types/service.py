"""The use cases of event types."""

from postgres.pool import Connected, Pool
from publisher_api.configuration import Configuration
from publisher_api.db.config_cache import ConfigCache
from publisher_api.event_types import store
from publisher_api.event_types.model import EventTypeFields, EventTypeList, EventTypeView
from publisher_api.planning.route import channel_named
from publisher_api.planning.variants import template_for
from publisher_api.refusal import Refusal, not_found


def put_event_type(pool: Pool, cache: ConfigCache, name: str, fields: EventTypeFields) -> EventTypeView:
    """Declare an event type, or replace its declaration. Raises ``Refusal``."""
    check(fields, cache.current())
    with pool.connection() as connection:
        view = store.put_event_type(connection, name, fields)
    cache.drop()
    return view


def get_event_type(pool: Pool, name: str) -> EventTypeView:
    """The event type. Raises ``Refusal``."""
    with pool.connection() as connection:
        view = store.get_event_type(connection, name)
    if view is None:
        raise _undeclared(name)
    return view


def list_event_types(pool: Pool) -> EventTypeList:
    """The declared event types, by name."""
    with pool.connection() as connection:
        return EventTypeList(event_types=store.list_event_types(connection))


def list_versions(pool: Pool, name: str) -> EventTypeList:
    """What was declared under this name, the newest version first. Raises ``Refusal``."""
    with pool.connection() as connection:
        versions = store.list_versions(connection, name)
    if not versions:
        raise _undeclared(name)
    return EventTypeList(event_types=versions)


def delete_event_type(pool: Pool, cache: ConfigCache, name: str) -> None:
    """Delete the declaration. Raises ``Refusal``."""
    with pool.connection() as connection:
        if not store.delete_event_type(connection, name):
            raise _undeclared(name)
    cache.drop()


def event_types_with_channel(connection: Connected, slug: str) -> list[str]:
    """The names of the declared event types that name this channel, sorted."""
    return store.event_types_with_channel(connection, slug)


def check(fields: EventTypeFields, configuration: Configuration) -> None:
    """Raises ``Refusal`` for channels or a template that do not exist: every notification would be refused."""
    for index, slug in enumerate(fields.channels):
        channel_named(slug, configuration.channels, f"channels.{index}")
    template_for(fields.template_name, None, configuration.templates, tenant=None)


def _undeclared(name: str) -> Refusal:
    return not_found(f"Event type {name!r}", f"Declare it with PUT /v1/event-types/{name}.")
