"""/v1/me/notifications: what was sent to the user who calls."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from publisher_api.fields import Name
from publisher_api.notifications import service
from publisher_api.notifications.model import OwnDetail, OwnPage
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Caller, Services

router = APIRouter(prefix="/v1/me/notifications", tags=["own settings"], route_class=AuthenticatedRoute)
_MAX_LIMIT = 100


@router.get("", responses=problems(401, 403, 422, 503))
def list_notifications(
    user: Caller,
    services: Services,
    limit: Annotated[int, Query(ge=1, le=_MAX_LIMIT)] = 20,
    before: Annotated[UUID | None, Query(description="The `next` of the page before.")] = None,
    tenant: Annotated[Name | None, Query(description="Only those of this tenant.")] = None,
) -> OwnPage:
    """List your notifications over every channel. The newest comes first."""
    return service.list_own_notifications(services.pool, user.user_id, tenant, services.clock(), limit, before)


@router.get("/{notification_id:uuid}", responses=problems(401, 403, 404, 503))
def get_notification(notification_id: UUID, user: Caller, services: Services) -> OwnDetail:
    """Read a notification of yours, and where it was sent."""
    return service.get_own_notification(services.pool, notification_id, user.user_id, services.clock())
