"""Event types in Postgres. A trigger announces each change to the cached configuration of every instance."""

from typing import Any

from psycopg.types.json import Jsonb

from postgres.pool import Connected, fetch_one
from publisher_api.event_types.model import EventTypeFields, EventTypeView

_SHOWN = "select event_type, version, declaration, updated_at from event_types"


def lock_event_types(connection: Connected) -> None:
    """Allow one change to the event types at a time, also to one that is not declared yet."""
    connection.execute("lock table event_types in share row exclusive mode")


def hold_channels(connection: Connected) -> set[str]:
    """The slugs of all channels. No other transaction can change the channels until this one ends."""
    connection.execute("lock table channels in share mode")
    return {row["slug"] for row in connection.execute("select slug from channels")}


def put_event_type(connection: Connected, name: str, fields: EventTypeFields) -> EventTypeView:
    """Declare the event type. Another declaration than the last one gets the next version, which is kept for ever."""
    row = fetch_one(
        connection.execute(
            """
            with known as (
                select coalesce(max(version), 0) as version from event_type_versions where event_type = %(name)s
            ), declared as (
                insert into event_types as e (event_type, version, declaration)
                select %(name)s, known.version + 1, %(declaration)s from known
                on conflict (event_type) do update
                   set version = e.version + (e.declaration <> excluded.declaration)::int,
                       declaration = excluded.declaration,
                       updated_at = case when e.declaration <> excluded.declaration then now() else e.updated_at end
                returning event_type, version, declaration, updated_at
            ), kept as (
                insert into event_type_versions (event_type, version, declaration, updated_at)
                select event_type, version, declaration, updated_at from declared
                on conflict do nothing
            )
            select * from declared
            """,
            {"name": name, "declaration": Jsonb(fields.model_dump())},
        )
    )
    return _view(row)


def get_event_type(connection: Connected, name: str) -> EventTypeView | None:
    """The event type, or None."""
    row = connection.execute(f"{_SHOWN} where event_type = %s", [name]).fetchone()
    return _view(row) if row else None


def list_event_types(connection: Connected, limit: int, after: str | None) -> list[EventTypeView]:
    """Up to ``limit`` declared event types, by name, that follow ``after``."""
    rows = connection.execute(
        f"{_SHOWN} where %(after)s::text is null or event_type > %(after)s order by event_type limit %(limit)s",
        {"after": after, "limit": limit},
    )
    return [_view(row) for row in rows.fetchall()]


def list_versions(connection: Connected, name: str, limit: int, before: int | None) -> list[EventTypeView]:
    """Up to ``limit`` declarations of a name that is declared now, the newest first; only those before ``before``."""
    rows = connection.execute(
        """
        select event_type, v.version, v.declaration, v.updated_at
          from event_type_versions v join event_types using (event_type)
         where event_type = %(name)s and (%(before)s::int is null or v.version < %(before)s)
         order by v.version desc limit %(limit)s
        """,
        {"name": name, "before": before, "limit": limit},
    ).fetchall()
    return [_view(row) for row in rows]


def delete_event_type(connection: Connected, name: str) -> None:
    """Delete the declaration and keep its versions."""
    connection.execute("delete from event_types where event_type = %s", [name])


def event_types_with_channel(connection: Connected, slug: str) -> list[str]:
    """The names of the declared event types that name this channel, sorted."""
    rows = connection.execute(
        "select event_type from event_types where declaration -> 'channels' ? %s order by event_type", [slug]
    ).fetchall()
    return [row["event_type"] for row in rows]


def _view(row: dict[str, Any]) -> EventTypeView:
    return EventTypeView(
        event_type=row["event_type"], version=row["version"], updated_at=row["updated_at"], **row["declaration"]
    )
