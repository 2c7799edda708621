"""Looking: one notification with its whole story, or a person's notifications."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from publisher_api.accept.request import UserId
from publisher_api.errors import Problem
from publisher_api.routes.timeline import describe, describe_delivery, timeline
from publisher_api.services import Producer, Serving
from publisher_api.store import notifications

router = APIRouter(prefix="/v1/notifications", tags=["looking"])

MAX_LIMIT = 100


@router.get("/{notification_id}")
def show(notification_id: UUID, _producer: Producer, services: Serving) -> dict[str, Any]:
    """The notification, its deliveries, and the timeline that says why each did or did not arrive."""
    with services.pool.connection() as connection:
        notification = notifications.get_notification(connection, str(notification_id))
        if notification is None:
            raise Problem(404, "not_found", f"There is no notification {notification_id}.")
        deliveries = notifications.get_deliveries(connection, str(notification_id))
        events = notifications.get_events(connection, str(notification_id))
    return {
        **describe(notification),
        "deliveries": [describe_delivery(delivery) for delivery in deliveries],
        "timeline": timeline(notification, deliveries, events),
    }


@router.get("")
def index(
    user_id: Annotated[UserId, Query()],
    _producer: Producer,
    services: Serving,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
    offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
    cursor: UUID | None = None,
) -> dict[str, Any]:
    """A person's notifications, the newest first. `next_cursor` leads to the next page, and is null on the last."""
    with services.pool.connection() as connection:
        rows = notifications.list_notifications(
            connection,
            user_id,
            before=str(cursor) if cursor else None,
            limit=limit + 1,
            offset=offset,
        )
    page = rows[:limit]
    return {
        "notifications": [describe(row) for row in page],
        "next_cursor": page[-1]["notification_id"] if len(rows) > limit else None,
    }
