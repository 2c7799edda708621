"""/v1/me/preferences: what the user who calls wants."""

from typing import Annotated

from fastapi import APIRouter, Query

from publisher_api.fields import Name
from publisher_api.preferences import service
from publisher_api.preferences.model import Explanation, PreferenceFields, PreferenceView
from publisher_api.preferences.routes import Tenant
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Caller, Services

router = APIRouter(prefix="/v1/me/preferences", tags=["own settings"], route_class=AuthenticatedRoute)


@router.get("", responses=problems(401, 403, 422, 503))
def get_preferences(user: Caller, services: Services, tenant: Tenant = None) -> PreferenceView:
    """Read your choices."""
    return service.get_preferences(services.pool, user.user_id, tenant)


@router.put("", responses=problems(400, 401, 403, 413, 422, 503))
def put_preferences(
    fields: PreferenceFields, user: Caller, services: Services, tenant: Tenant = None
) -> PreferenceView:
    """Replace your choices. They hold for what is accepted from now on."""
    return service.put_preferences(services.pool, user.user_id, tenant, fields)


@router.patch("", responses=problems(400, 401, 403, 413, 422, 503))
def patch_preferences(
    changes: PreferenceFields, user: Caller, services: Services, tenant: Tenant = None
) -> PreferenceView:
    """Change some of your choices, as JSON Merge Patch (RFC 7396) does: null makes a choice none."""
    return service.patch_preferences(services.pool, user.user_id, tenant, changes)


@router.get("/explain", responses=problems(401, 403, 422, 503))
def explain(
    event_type: Annotated[Name, Query()], user: Caller, services: Services, tenant: Tenant = None
) -> Explanation:
    """Explain what your choices say about an event type: for each channel the verdict, and the line that decides."""
    return service.explain(services.pool, services.cache.current(), user.user_id, tenant, event_type, services.clock())
