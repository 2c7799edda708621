"""/v1/preferences: what holds in this environment where a user made no choice."""

from fastapi import APIRouter

from publisher_api.preferences import service
from publisher_api.preferences.model import PreferenceFields, PreferenceView
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/preferences", tags=["configuration"], route_class=AuthenticatedRoute)


@router.get("", responses=problems(401, 403, 503))
def get_defaults(_producer: Producer, services: Services) -> PreferenceView:
    """Read the preferences of the environment, which hold where a user made no choice."""
    return service.get_defaults(services.pool)


@router.put("", responses=problems(400, 401, 403, 413, 422, 503))
def put_defaults(fields: PreferenceFields, producer: Producer, services: Services) -> PreferenceView:
    """Replace the preferences of the environment."""
    return service.put_defaults(services.pool, services.cache, fields, producer)
