"""Reading notifications: one with its whole story, or a person's list; and marking them read."""

from datetime import datetime
from typing import Any

from publisher_api.store.pool import Connected, one

_COLUMNS = """
    n.notification_id, n.producer, n.user_id, n.event_type, n.actor_user_id, n.channels, n.payload, n.template_name,
    n.dedup_key, n.priority, n.deliver_at, n.created_at, n.read_at,
    (select coalesce(array_agg(d.status order by d.delivery_id), '{}')
       from deliveries d where d.notification_id = n.notification_id) as statuses
"""

# Due in the inbox, and not known to have missed it. Takes one parameter: now.
_IN_INBOX = """
    inbox_at <= %(now)s and exists (
        select from deliveries d where d.notification_id = n.notification_id and d.kind = 'inapp'
           and d.status not in ('failed', 'suppressed', 'expired', 'canceled', 'dead'))
"""
_UNREAD = f"read_at is null and {_IN_INBOX}"


def get_notification(connection: Connected, notification_id: str) -> dict[str, Any] | None:
    """The notification with ``statuses`` of its deliveries, or None."""
    return connection.execute(
        f"select {_COLUMNS} from notifications n where n.notification_id = %s",
        [notification_id],
    ).fetchone()


def get_deliveries(connection: Connected, notification_id: str) -> list[dict[str, Any]]:
    return connection.execute(
        """
        select delivery_id, kind, slug, round, status, reason, recipient, due_at, expires_at, queued_at,
               provider, provider_message_id, possible_duplicate, updated_at
          from deliveries where notification_id = %s order by delivery_id
        """,
        [notification_id],
    ).fetchall()


def get_events(connection: Connected, notification_id: str) -> list[dict[str, Any]]:
    return connection.execute(
        """
        select e.delivery_id, e.round, e.result, e.at, e.received_at, e.recorded_at, e.attempt, e.reason, e.detail,
               e.provider, e.provider_message_id, e.possible_duplicate
          from delivery_events e join deliveries d using (delivery_id)
         where d.notification_id = %s order by e.event_id
        """,
        [notification_id],
    ).fetchall()


def list_notifications(
    connection: Connected,
    user_id: str,
    *,
    before: str | None,
    limit: int,
    offset: int,
) -> list[dict[str, Any]]:
    """A person's notifications, the newest first, older than the id ``before`` (ids of version 7 sort by time)."""
    return connection.execute(
        f"""
        select {_COLUMNS} from notifications n
         where n.user_id = %(user_id)s and (%(before)s::uuid is null or n.notification_id < %(before)s::uuid)
         order by n.notification_id desc limit %(limit)s offset %(offset)s
        """,
        {"user_id": user_id, "before": before, "limit": limit, "offset": offset},
    ).fetchall()


def count_unread(connection: Connected, user_id: str, now: datetime) -> int:
    """How many notifications wait unread in the person's inbox; counted, never kept, so it cannot drift."""
    cursor = connection.execute(
        f"select count(*) from notifications n where user_id = %(user_id)s and {_UNREAD}",
        {"user_id": user_id, "now": now},
    )
    count: int = one(cursor)["count"]
    return count


def mark_read(
    connection: Connected, notification_ids: list[str], user_id: str | None, now: datetime
) -> list[dict[str, Any]]:
    """Mark those that are unread; the answer is ``notification_id`` and ``user_id`` of every one that was, and whether
    it is ``in_inbox``, or on its way there. What arrives later arrives read.
    """
    return connection.execute(
        f"""
        update notifications n set read_at = %(now)s
         where notification_id = any(%(ids)s::uuid[]) and read_at is null
           and (%(user_id)s::text is null or user_id = %(user_id)s)
        returning notification_id::text, user_id, coalesce({_IN_INBOX}, false) as in_inbox
        """,
        {"now": now, "ids": notification_ids, "user_id": user_id},
    ).fetchall()


def mark_all_read(connection: Connected, user_id: str, now: datetime) -> tuple[int, list[str]]:
    """Mark everything that is unread in a person's inbox; the answer is how many, and the ids of those that are still
    on their way to the live inbox.
    """
    row = one(
        connection.execute(
            f"""
            with marked as (
                update notifications n set read_at = %(now)s where user_id = %(user_id)s and {_UNREAD}
                returning notification_id
            )
            select count(*) as marked,
                   coalesce(array_agg(notification_id::text) filter (where exists (
                       select from deliveries d where d.notification_id = marked.notification_id and d.kind = 'inapp'
                          and d.status in ('pending', 'queued'))), '{{}}') as on_their_way
              from marked
            """,
            {"user_id": user_id, "now": now},
        )
    )
    return row["marked"], row["on_their_way"]
