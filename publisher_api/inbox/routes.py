"""Unread counts, and marking notifications as read."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from publisher_api.fields import Name, UserId
from publisher_api.inbox.model import ReadNotification, ReadRequest, ReadResult, UnreadCount
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/notifications", tags=["inbox"], route_class=AuthenticatedRoute)


@router.get("/unread_count", responses=problems(401, 403, 422, 503))
def count_unread(
    user_id: Annotated[UserId, Query()],
    producer: Producer,
    services: Services,
    tenant: Annotated[Name | None, Query(description="Only those of this tenant.")] = None,
) -> UnreadCount:
    """Count the unread notifications in a user's inbox. The count ends at 1,000: `more` says that there are more."""
    return services.inbox.count_unread(user_id, producer.sight_of(tenant))


@router.post("/bulk/read", responses=problems(400, 401, 403, 413, 422, 503))
def read_many(request: ReadRequest, producer: Producer, services: Services) -> ReadResult:
    """Mark several of a user's notifications as read, or all of them. Ids of other users are ignored."""
    return services.inbox.read_many(request, producer.sight)


@router.post("/{notification_id:uuid}/read", responses=problems(401, 403, 404, 503))
def read(notification_id: UUID, producer: Producer, services: Services) -> ReadNotification:
    """Mark one notification as read. Marking it again changes nothing: `read_at` stays."""
    return services.inbox.read(notification_id, producer.sight)
