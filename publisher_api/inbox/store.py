"""What is seen, read and archived, in the publisher's tables: counted, never stored as a number, so it cannot drift."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row

from postgres.pool import Connected, fetch_one
from publisher_api.inbox.cursor import Place
from publisher_api.inbox.model import Counts, Entry, Marked, Tab
from publisher_api.principal import IN_SIGHT, Sight

# Due in the inbox, and not known to have missed it. Takes one parameter: now.
_ARRIVES = "d.status not in ('failed', 'bounced', 'suppressed', 'expired', 'canceled', 'dead')"
_IN_INBOX = f"""
    inbox_at <= %(now)s and exists (
        select from deliveries d where d.notification_id = n.notification_id and d.kind = 'inapp' and {_ARRIVES})
"""
_UNREAD = f"read_at is null and archived_at is null and {_IN_INBOX}"
_WHICH = {
    Tab.ALL: "archived_at is null",
    Tab.UNREAD: "read_at is null and archived_at is null",
    Tab.ARCHIVED: "archived_at is not null",
}
Mark = Literal["read_at", "archived_at"]


def count_unread(connection: Connected, user_id: str, sight: Sight, now: datetime, *, limit: int) -> int:
    """How many notifications in sight are unread in the user's inbox, counted up to ``limit``."""
    cursor = connection.execute(
        f"""
        select count(*) from (
            select from notifications n where user_id = %(user_id)s and {IN_SIGHT} and {_UNREAD} limit %(limit)s
        ) as counted
        """,
        {"user_id": user_id, "now": now, "limit": limit, **asdict(sight)},
    )
    count: int = fetch_one(cursor)["count"]
    return count


def mark(
    connection: Connected,
    column: Mark,
    notification_ids: Sequence[UUID],
    user_id: str | None,
    sight: Sight,
    now: datetime,
) -> list[Marked]:
    """Set ``column``, and ``seen_at``, of those of these notifications in sight where it is null; returns those.

    With ``user_id``, notifications of other users stay as they are. What arrives in the inbox later arrives marked.
    """
    with connection.cursor(row_factory=class_row(Marked)) as cursor:
        cursor.execute(
            f"""
            update notifications n set {column} = %(now)s, seen_at = coalesce(seen_at, %(now)s)
             where notification_id = any(%(ids)s::uuid[]) and {column} is null
               and (%(user_id)s::text is null or user_id = %(user_id)s) and {IN_SIGHT}
            returning notification_id::text, user_id, coalesce({_IN_INBOX}, false) as in_inbox
            """,
            {"now": now, "ids": list(notification_ids), "user_id": user_id, **asdict(sight)},
        )
        return cursor.fetchall()


def mark_all_read(connection: Connected, user_id: str, now: datetime, *, limit: int) -> tuple[int, list[str]]:
    """Mark up to ``limit`` unread notifications of a user's inbox, also those that are archived.

    Returns how many, and the ids of those that have not reached the live inbox yet.
    """
    row = fetch_one(
        connection.execute(
            f"""
            with marked as (
                update notifications set read_at = %(now)s, seen_at = coalesce(seen_at, %(now)s)
                 where notification_id = any(array(
                       select n.notification_id from notifications n
                        where user_id = %(user_id)s and read_at is null and {_IN_INBOX}
                        order by n.notification_id limit %(limit)s for update))
                returning notification_id
            )
            select count(*) as marked,
                   coalesce(array_agg(notification_id::text) filter (where exists (
                       select from deliveries d where d.notification_id = marked.notification_id and d.kind = 'inapp'
                          and d.status in ('pending', 'queued'))), '{{}}') as not_arrived
              from marked
            """,
            {"user_id": user_id, "now": now, "limit": limit},
        )
    )
    return row["marked"], row["not_arrived"]


def mark_seen(connection: Connected, user_id: str, now: datetime, *, limit: int) -> int:
    """Mark up to ``limit`` unseen notifications of a user's inbox as seen; returns how many."""
    return connection.execute(
        f"""
        update notifications set seen_at = %(now)s
         where notification_id = any(array(
               select n.notification_id from notifications n
                where user_id = %(user_id)s and seen_at is null and {_UNREAD}
                order by n.notification_id limit %(limit)s for update))
        """,
        {"user_id": user_id, "now": now, "limit": limit},
    ).rowcount


def unread_ids(connection: Connected, user_id: str, sight: Sight, now: datetime, *, limit: int) -> list[UUID]:
    """The ids of up to ``limit`` unread notifications in sight in a user's inbox, held until the transaction ends.

    Also of those that are archived.
    """
    rows = connection.execute(
        f"""
        select notification_id from notifications n
         where user_id = %(user_id)s and {IN_SIGHT} and read_at is null and {_IN_INBOX}
         order by notification_id limit %(limit)s for update
        """,
        {"user_id": user_id, "now": now, "limit": limit, **asdict(sight)},
    )
    return [row["notification_id"] for row in rows]


def read_at(connection: Connected, notification_id: UUID, sight: Sight) -> datetime | None:
    """When the notification was marked as read; None if there is no such one in sight, or it is unread."""
    row = connection.execute(
        f"select read_at from notifications n where notification_id = %(notification_id)s and {IN_SIGHT}",
        {"notification_id": notification_id, **asdict(sight)},
    )
    found = row.fetchone()
    return found["read_at"] if found else None


def read_entries(
    connection: Connected,
    user_id: str,
    sight: Sight,
    tab: Tab,
    now: datetime,
    *,
    limit: int,
    before: Place | None,
) -> list[Entry]:
    """Up to ``limit`` entries of ``tab`` in sight, the newest first; only those that follow ``before``.

    For the publisher an entry is delivered when it is due. An index of its own would cost every notification that is
    accepted, so this sorts the notifications of one user.
    """
    after = "and (n.inbox_at, n.notification_id) < (%(delivered_at)s, %(notification_id)s::uuid)" if before else ""
    with connection.cursor(row_factory=class_row(Entry)) as cursor:
        cursor.execute(
            f"""
            select n.notification_id::text, d.delivery_id::text, n.event_type, n.tenant, d.content ->> 'title' as title,
                   coalesce(d.content ->> 'body', '') as body, d.content ->> 'url' as url,
                   coalesce(d.content -> 'data', '{{}}') as data, n.actor_user_id, n.priority, n.created_at,
                   n.inbox_at as delivered_at, n.seen_at, n.read_at, n.archived_at
              from notifications n
             cross join lateral (
                   select delivery_id, content from deliveries d
                    where d.notification_id = n.notification_id and d.kind = 'inapp' and {_ARRIVES}
                    order by delivery_id limit 1) as d
             where n.user_id = %(user_id)s and {IN_SIGHT} and n.inbox_at <= %(now)s and {_WHICH[tab]} {after}
             order by n.inbox_at desc, n.notification_id desc limit %(limit)s
            """,
            {
                "user_id": user_id,
                "now": now,
                "limit": limit,
                **asdict(sight),
                **(before._asdict() if before else {}),
            },
        )
        return cursor.fetchall()


def count(connection: Connected, user_id: str, sight: Sight, now: datetime) -> Counts:
    """The exact counts of the notifications in sight in a user's inbox."""
    with connection.cursor(row_factory=class_row(Counts)) as cursor:
        cursor.execute(
            f"""
            select count(*) filter (where seen_at is null) as unseen, count(*) as unread
              from notifications n where user_id = %(user_id)s and {IN_SIGHT} and {_UNREAD}
            """,
            {"user_id": user_id, "now": now, **asdict(sight)},
        )
        [counts] = cursor.fetchall()
        return counts
