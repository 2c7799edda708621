"""Reads notifications for the API."""

from uuid import UUID

from postgres.pool import Pool
from publisher_api.notifications import store
from publisher_api.notifications.model import NotificationDetail, NotificationPage
from publisher_api.notifications.timeline import view_detail, view_notification
from publisher_api.refusal import not_found


def get_notification(pool: Pool, notification_id: UUID) -> NotificationDetail:
    """The notification with its deliveries and timeline. Raises ``Refusal``."""
    with pool.connection() as connection:
        notification = store.get_notification(connection, notification_id)
        if notification is None:
            raise not_found(f"Notification {notification_id}")
        deliveries = store.get_deliveries(connection, notification_id)
        events = store.get_events(connection, notification_id)
    return view_detail(notification, deliveries, events)


def list_notifications(
    pool: Pool, user_id: str, tenant: str | None, *, limit: int, offset: int, cursor: UUID | None
) -> NotificationPage:
    """A page of a user's notifications, the newest first; with ``tenant`` only those of this tenant."""
    with pool.connection() as connection:
        found = store.list_notifications(connection, user_id, tenant, after=cursor, limit=limit + 1, offset=offset)
    page = found[:limit]
    return NotificationPage(
        notifications=[view_notification(notification) for notification in page],
        next_cursor=page[-1].notification_id if len(found) > limit else None,
    )
