"""/v1/retention: how long notifications are kept in this environment."""

from fastapi import APIRouter

from publisher_api.retention import service
from publisher_api.retention.model import RetentionFields
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/retention", tags=["privacy"], route_class=AuthenticatedRoute)


@router.get("", responses=problems(401, 403, 503))
def get_retention(_producer: Producer, services: Services) -> RetentionFields:
    """Read how long notifications are kept where their event type has no `retention_days`. At first: for ever."""
    return service.get_retention(services.pool)


@router.put("", responses=problems(400, 401, 403, 413, 422, 503))
def put_retention(fields: RetentionFields, producer: Producer, services: Services) -> RetentionFields:
    """Replace how long notifications are kept. What was kept for longer is deleted within minutes, for good."""
    return service.put_retention(services.pool, fields, producer)
