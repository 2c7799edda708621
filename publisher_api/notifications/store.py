"""Reads notifications from Postgres: one with its deliveries and events, or a user's list."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from postgres.pool import Connected
from publisher_api.notifications.model import StoredDelivery, StoredEvent, StoredNotification
from publisher_api.principal import IN_SIGHT, Sight

_COLUMNS = """
    n.notification_id, n.producer, n.user_id, n.event_type, n.actor_user_id, n.tenant, n.channels, n.payload,
    n.template_name, n.template_version, n.tenant_template_version, n.locale, n.dedup_key, n.priority, n.deliver_at,
    n.created_at,
    coalesce(n.accepted_at, n.created_at) as accepted_at, n.seen_at, n.read_at, n.archived_at,
    (select coalesce(array_agg(d.status order by d.delivery_id), '{}')
       from deliveries d where d.notification_id = n.notification_id) as statuses
"""


def get_notification(connection: Connected, notification_id: UUID, sight: Sight) -> StoredNotification | None:
    """The notification, or None, also if it is out of sight."""
    with connection.cursor(row_factory=class_row(StoredNotification)) as cursor:
        cursor.execute(
            f"select {_COLUMNS} from notifications n where n.notification_id = %(notification_id)s and {IN_SIGHT}",
            {"notification_id": notification_id, **asdict(sight)},
        )
        return cursor.fetchone()


def get_deliveries(connection: Connected, notification_id: UUID) -> list[StoredDelivery]:
    """The deliveries of a notification."""
    with connection.cursor(row_factory=class_row(StoredDelivery)) as cursor:
        cursor.execute(
            """
            select delivery_id, slug as channel, kind as channel_type, round, status, reason, recipient, due_at,
                   held_by, expires_at, queued_at, deferred_until, provider, provider_message_id, possible_duplicate,
                   updated_at
              from deliveries where notification_id = %s order by delivery_id
            """,
            [notification_id],
        )
        return cursor.fetchall()


def get_events(connection: Connected, notification_id: UUID) -> list[StoredEvent]:
    """The outcomes of a notification's deliveries, in the order in which they were recorded."""
    with connection.cursor(row_factory=class_row(StoredEvent)) as cursor:
        cursor.execute(
            """
            select e.delivery_id, e.result, e.at, e.received_at, e.recorded_at, e.attempt, e.until, e.reason,
                   e.detail, e.provider, e.provider_message_id, e.possible_duplicate
              from delivery_events e join deliveries d using (delivery_id)
             where d.notification_id = %s order by e.event_id
            """,
            [notification_id],
        )
        return cursor.fetchall()


def list_notifications(
    connection: Connected,
    user_id: str,
    sight: Sight,
    *,
    after: UUID | None,
    limit: int,
    offset: int,
    due_by: datetime | None = None,
) -> list[StoredNotification]:
    """A user's notifications in sight, the newest event first; only those that follow the notification ``after``.

    ``due_by`` leaves out those that are to be delivered later.
    """
    with connection.cursor(row_factory=class_row(StoredNotification)) as cursor:
        cursor.execute(
            f"""
            select {_COLUMNS} from notifications n
             where n.user_id = %(user_id)s and {IN_SIGHT}
               and (n.deliver_at is null or %(due_by)s::timestamptz is null or n.deliver_at <= %(due_by)s)
               and (%(after)s::uuid is null or (n.created_at, n.notification_id) < (
                    select created_at, notification_id from notifications where notification_id = %(after)s::uuid))
             order by n.created_at desc, n.notification_id desc limit %(limit)s offset %(offset)s
            """,
            {"user_id": user_id, "after": after, "limit": limit, "offset": offset, "due_by": due_by, **asdict(sight)},
        )
        return cursor.fetchall()
