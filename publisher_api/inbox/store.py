"""The read state in Postgres: counted, never stored as a number, so it cannot drift."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from postgres.pool import Connected, fetch_one
from publisher_api.inbox.model import Marked

# Due in the inbox, and not known to have missed it. Takes one parameter: now.
_IN_INBOX = """
    inbox_at <= %(now)s and exists (
        select from deliveries d where d.notification_id = n.notification_id and d.kind = 'inapp'
           and d.status not in ('failed', 'bounced', 'suppressed', 'expired', 'canceled', 'dead'))
"""
_UNREAD = f"read_at is null and {_IN_INBOX}"


def count_unread(connection: Connected, user_id: str, now: datetime, *, limit: int) -> int:
    """How many notifications in the user's inbox are unread, counted up to ``limit``."""
    cursor = connection.execute(
        f"""
        select count(*) from (
            select from notifications n where user_id = %(user_id)s and {_UNREAD} limit %(limit)s
        ) as counted
        """,
        {"user_id": user_id, "now": now, "limit": limit},
    )
    count: int = fetch_one(cursor)["count"]
    return count


def mark_read(
    connection: Connected, notification_ids: Sequence[UUID], user_id: str | None, now: datetime
) -> list[Marked]:
    """Mark the unread ones among these notifications; returns those.

    With ``user_id``, notifications of other users stay as they are. What arrives in the inbox later arrives read.
    """
    with connection.cursor(row_factory=class_row(Marked)) as cursor:
        cursor.execute(
            f"""
            update notifications n set read_at = %(now)s
             where notification_id = any(%(ids)s::uuid[]) and read_at is null
               and (%(user_id)s::text is null or user_id = %(user_id)s)
            returning notification_id::text, user_id, coalesce({_IN_INBOX}, false) as in_inbox
            """,
            {"now": now, "ids": list(notification_ids), "user_id": user_id},
        )
        return cursor.fetchall()


def mark_all_read(connection: Connected, user_id: str, now: datetime, *, limit: int) -> tuple[int, list[str]]:
    """Mark up to ``limit`` unread notifications of a user's inbox.

    Returns how many, and the ids of those that have not reached the live inbox yet.
    """
    row = fetch_one(
        connection.execute(
            f"""
            with marked as (
                update notifications set read_at = %(now)s
                 where notification_id = any(array(
                       select n.notification_id from notifications n where user_id = %(user_id)s and {_UNREAD}
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


def read_at(connection: Connected, notification_id: UUID) -> datetime | None:
    """When the notification was marked as read; None if there is no such notification, or it is unread."""
    row = connection.execute("select read_at from notifications where notification_id = %s", [notification_id])
    found = row.fetchone()
    return found["read_at"] if found else None
