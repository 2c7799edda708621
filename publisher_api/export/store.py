"""Reads what is stored of a user, notifications a page at a time. Postgres writes the JSON."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from postgres.pool import Connected, fetch_one

BYTES_OF_A_PAGE = 4_000_000
"""A page ends with the notification that reaches this size."""
_NOTIFICATIONS_OF_A_PAGE = 100
_FETCHED_AT_ONCE = 5


class Place(NamedTuple):
    """A notification's place: exports are sorted by these two, the newest first."""

    created_at: datetime
    notification_id: UUID


class Page(NamedTuple):
    """Some notifications as JSON texts, and the place of the last; None if there is none."""

    notifications: list[str]
    last: Place | None


def read_profile(connection: Connected, user_id: str) -> str:
    """What is stored besides notifications, as a JSON object."""
    row = fetch_one(
        connection.execute(
            """
            select json_build_object(
                'user_id', %(user_id)s::text,
                'exported_at', now(),
                'user', (select to_json(u) from (
                     select email, phone, locale, timezone, attributes, created_at, updated_at
                       from users where user_id = %(user_id)s) as u),
                'devices', (select coalesce(json_agg(d order by d.seen_at desc), '[]') from (
                     select device_id, token, platform, created_at, seen_at
                       from devices where user_id = %(user_id)s) as d),
                'preferences', coalesce((
                     select document from preferences where user_id = %(user_id)s), '{}'),
                'tenant_preferences', (select coalesce(json_object_agg(tenant, document), '{}')
                     from tenant_preferences where user_id = %(user_id)s)
            )::text as profile
            """,
            {"user_id": user_id},
        )
    )
    profile: str = row["profile"]
    return profile


def read_page(connection: Connected, user_id: str, after: Place | None) -> Page:
    """Some notifications with their deliveries and events, those that follow ``after``.

    As many as fit into ``BYTES_OF_A_PAGE``, and the one that does not. Every column is in it, also one that is added
    later, except what is about the outbox and the trace only.
    """
    following = "and (n.created_at, n.notification_id) < (%(created_at)s, %(notification_id)s)" if after else ""
    statement = f"""
        select n.created_at, n.notification_id, (
                   to_jsonb(n) - array['user_id', 'traceparent'] || jsonb_build_object('deliveries', (
                       select coalesce(jsonb_agg(
                                  to_jsonb(d) - array['notification_id', 'kind', 'slug', 'sweep_at', 'unreported']
                                  || jsonb_build_object('channel', d.slug, 'channel_type', d.kind, 'events', (
                                         select coalesce(jsonb_agg(to_jsonb(e) - array['event_id', 'delivery_id']
                                                                   order by e.event_id), '[]')
                                           from delivery_events e where e.delivery_id = d.delivery_id))
                                  order by d.delivery_id), '[]')
                         from deliveries d where d.notification_id = n.notification_id))
               )::text as notification
          from notifications n where n.user_id = %(user_id)s {following}
         order by n.created_at desc, n.notification_id desc limit %(limit)s
    """
    parameters = {"user_id": user_id, "limit": _NOTIFICATIONS_OF_A_PAGE, **(after._asdict() if after else {})}
    notifications: list[str] = []
    last, size = None, 0
    with connection.cursor("export") as cursor:  # on the server, which writes a notification when it is fetched
        cursor.itersize = _FETCHED_AT_ONCE
        for row in cursor.execute(statement, parameters):
            notifications.append(row["notification"])
            last = Place(row["created_at"], row["notification_id"])
            size += len(row["notification"].encode())
            if size >= BYTES_OF_A_PAGE:
                break
    return Page(notifications, last)
