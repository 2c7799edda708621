"""Reads notifications for the API."""

from datetime import datetime
from uuid import UUID

from postgres.pool import Pool
from publisher_api.notifications import store
from publisher_api.notifications.model import NotificationDetail, NotificationPage, OwnDetail, OwnPage
from publisher_api.notifications.timeline import view_detail, view_notification, view_own, view_own_detail
from publisher_api.principal import EVERYTHING, Sight
from publisher_api.refusal import not_found


def get_notification(pool: Pool, notification_id: UUID, sight: Sight) -> NotificationDetail:
    """The notification with its deliveries and timeline. Raises ``Refusal``, also if it is out of sight."""
    with pool.connection() as connection:
        notification = store.get_notification(connection, notification_id, sight)
        if notification is None:
            raise not_found(f"Notification {notification_id}")
        deliveries = store.get_deliveries(connection, notification_id)
        events = store.get_events(connection, notification_id)
    return view_detail(notification, deliveries, events)


def get_own_notification(pool: Pool, notification_id: UUID, user_id: str, now: datetime) -> OwnDetail:
    """The notification as its user sees it. Raises ``Refusal``, also before it is to be delivered."""
    with pool.connection() as connection:
        found = store.get_notification(connection, notification_id, EVERYTHING)
        if found is None or found.user_id != user_id or (found.deliver_at is not None and found.deliver_at > now):
            raise not_found(f"Notification {notification_id}")
        deliveries = store.get_deliveries(connection, notification_id)
    return view_own_detail(found, deliveries)


def list_own_notifications(
    pool: Pool, user_id: str, tenant: str | None, now: datetime, limit: int, before: UUID | None
) -> OwnPage:
    """A page of what a user was sent, by one tenant or by all, the newest first, without what is to come later."""
    with pool.connection() as connection:
        found = store.list_notifications(
            connection, user_id, Sight(tenant=tenant), after=before, limit=limit + 1, offset=0, due_by=now
        )
    page = found[:limit]
    return OwnPage(
        notifications=[view_own(each) for each in page],
        next=page[-1].notification_id if len(found) > limit else None,
    )


def list_notifications(
    pool: Pool, user_id: str, sight: Sight, *, limit: int, offset: int, cursor: UUID | None
) -> NotificationPage:
    """A page of a user's notifications in sight, the newest first."""
    with pool.connection() as connection:
        found = store.list_notifications(connection, user_id, sight, after=cursor, limit=limit + 1, offset=offset)
    page = found[:limit]
    return NotificationPage(
        notifications=[view_notification(notification) for notification in page],
        next_cursor=page[-1].notification_id if len(found) > limit else None,
    )
