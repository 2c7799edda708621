"""/v1/users/{user_id}/preferences: what a user wants."""

from typing import Annotated

from fastapi import APIRouter, Query

from publisher_api.fields import Name, UserId
from publisher_api.preferences import service
from publisher_api.preferences.model import Explanation, PreferenceFields, PreferenceView
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/users/{user_id}/preferences", tags=["users"], route_class=AuthenticatedRoute)

Tenant = Annotated[Name | None, Query(description="Within this tenant. Default: for every tenant.")]


@router.get("", responses=problems(401, 403, 422, 503))
def get_preferences(user_id: UserId, _producer: Producer, services: Services, tenant: Tenant = None) -> PreferenceView:
    """Read the choices that a user made. They are empty, also for a user who does not exist, until one is made."""
    return service.get_preferences(services.pool, user_id, tenant)


@router.put("", responses=problems(400, 401, 403, 413, 422, 503))
def put_preferences(
    user_id: UserId, fields: PreferenceFields, _producer: Producer, services: Services, tenant: Tenant = None
) -> PreferenceView:
    """Replace the preferences of a user. They hold for what is accepted from now on."""
    return service.put_preferences(services.pool, user_id, tenant, fields)


@router.patch("", responses=problems(400, 401, 403, 413, 422, 503))
def patch_preferences(
    user_id: UserId, changes: PreferenceFields, _producer: Producer, services: Services, tenant: Tenant = None
) -> PreferenceView:
    """Change some choices of a user, as JSON Merge Patch (RFC 7396) does: null makes a choice none."""
    return service.patch_preferences(services.pool, user_id, tenant, changes)


@router.get("/explain", responses=problems(401, 403, 422, 503))
def explain(
    user_id: UserId,
    event_type: Annotated[Name, Query()],
    _producer: Producer,
    services: Services,
    tenant: Tenant = None,
) -> Explanation:
    """Explain what the preferences say about an event type: for each channel the verdict, and the line that decides."""
    return service.explain(services.pool, services.cache.current(), user_id, tenant, event_type, services.clock())
