"""GET /v1/notifications: one notification with its timeline, or a user's notifications."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from publisher_api.fields import Name, UserId
from publisher_api.notifications import service
from publisher_api.notifications.model import NotificationDetail, NotificationPage
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/notifications", tags=["notifications"], route_class=AuthenticatedRoute)
_MAX_LIMIT = 100
_MAX_OFFSET = 10_000


@router.get("/{notification_id:uuid}", responses=problems(401, 403, 404, 503))
def get_notification(notification_id: UUID, producer: Producer, services: Services) -> NotificationDetail:
    """Read a notification with its timeline. The timeline explains why each delivery did or did not arrive."""
    return service.get_notification(services.pool, notification_id, producer.sight)


@router.get("", responses=problems(401, 403, 422, 503))
def list_notifications(
    user_id: Annotated[UserId, Query()],
    producer: Producer,
    services: Services,
    tenant: Annotated[Name | None, Query(description="Only those of this tenant.")] = None,
    limit: Annotated[int, Query(ge=1, le=_MAX_LIMIT)] = 20,
    offset: Annotated[int, Query(ge=0, le=_MAX_OFFSET)] = 0,
    cursor: Annotated[UUID | None, Query(description="The `next_cursor` of the page before.")] = None,
) -> NotificationPage:
    """List a user's notifications. The newest `created_at` comes first."""
    sight = producer.sight_of(tenant)
    return service.list_notifications(services.pool, user_id, sight, limit=limit, offset=offset, cursor=cursor)
