"""/v1/limits: how much each producer may send, how much each user gets, and how fast a channel sends."""

from fastapi import APIRouter, Response

from publisher_api.limits import service
from publisher_api.limits.model import LimitFields, LimitList, LimitView, Scope
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/limits", tags=["configuration"], route_class=AuthenticatedRoute)


@router.get("", responses=problems(401, 403, 503))
def list_limits(_producer: Producer, services: Services) -> LimitList:
    """List the declared limits. Without any, nothing is limited, except by the `rate` of a channel."""
    return service.list_limits(services.pool)


@router.put("/{scope}", responses=problems(400, 401, 403, 404, 413, 422, 503))
def put_limit(scope: Scope, fields: LimitFields, producer: Producer, services: Services) -> LimitView:
    """Declare a limit, or replace it. Every instance applies it within a minute: at once if it listens to Postgres."""
    return service.put_limit(services.pool, services.cache, scope, fields, producer)


@router.get("/{scope}", responses=problems(401, 403, 404, 422, 503))
def get_limit(scope: Scope, _producer: Producer, services: Services) -> LimitView:
    """Read a limit."""
    return service.get_limit(services.pool, scope)


@router.delete("/{scope}", status_code=204, responses=problems(401, 403, 404, 422, 503))
def delete_limit(scope: Scope, producer: Producer, services: Services) -> Response:
    """Delete a limit. A producer without its own has that of each producer."""
    service.delete_limit(services.pool, services.cache, scope, producer)
    return Response(status_code=204)
