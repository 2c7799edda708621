"""/v1/event-types: what follows from an event, as data."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from publisher_api.event_types import service
from publisher_api.event_types.model import EventTypeFields, EventTypePage, EventTypeVersions, EventTypeView
from publisher_api.fields import MAX_VERSION, Name
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/event-types", tags=["configuration"], route_class=AuthenticatedRoute)
_MAX_LIMIT = 100
Limit = Annotated[int, Query(ge=1, le=_MAX_LIMIT)]


@router.get("", responses=problems(401, 403, 422, 503))
def list_event_types(
    _producer: Producer,
    services: Services,
    limit: Limit = 100,
    after: Annotated[Name | None, Query(description="The `next` of the page before.")] = None,
) -> EventTypePage:
    """List the declared event types."""
    return service.list_event_types(services.pool, limit, after)


@router.put("/{event_type}", responses=problems(400, 401, 403, 413, 422, 503))
def put_event_type(event_type: Name, fields: EventTypeFields, producer: Producer, services: Services) -> EventTypeView:
    """Declare an event type, or replace its declaration. What is declared already keeps its version."""
    return service.put_event_type(services.pool, services.cache, event_type, fields, producer)


@router.get("/{event_type}", responses=problems(401, 403, 404, 422, 503))
def get_event_type(event_type: Name, _producer: Producer, services: Services) -> EventTypeView:
    """Read an event type. An undeclared one can be used all the same; its requests say everything."""
    return service.get_event_type(services.pool, event_type)


@router.get("/{event_type}/versions", responses=problems(401, 403, 404, 422, 503))
def list_versions(
    event_type: Name,
    _producer: Producer,
    services: Services,
    limit: Limit = 100,
    before: Annotated[int | None, Query(ge=1, le=MAX_VERSION, description="The `next` of the page before.")] = None,
) -> EventTypeVersions:
    """List what was declared over time. The newest version comes first."""
    return service.list_versions(services.pool, event_type, limit, before)


@router.delete("/{event_type}", status_code=204, responses=problems(401, 403, 404, 422, 503))
def delete_event_type(event_type: Name, producer: Producer, services: Services) -> Response:
    """Delete the declaration. A new one continues its versions."""
    service.delete_event_type(services.pool, services.cache, event_type, producer)
    return Response(status_code=204)
