"""POST /v1/notifications/{notification_id}/cancel: stops what is not on its way yet."""

from uuid import UUID

from fastapi import APIRouter

from publisher_api.deliveries import service
from publisher_api.deliveries.model import CancelResult
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/notifications", tags=["sending"], route_class=AuthenticatedRoute)


@router.post("/{notification_id:uuid}/cancel", responses=problems(401, 403, 404, 503))
def cancel(notification_id: UUID, producer: Producer, services: Services) -> CancelResult:
    """Cancel the deliveries of a notification that are scheduled or deferred, in one transaction."""
    return service.cancel(services.pool, notification_id, producer.sight)
