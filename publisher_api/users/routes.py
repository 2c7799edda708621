"""/v1/users: where a user can be reached, and what templates may know of them."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from publisher_api.fields import UserId
from publisher_api.users import service
from publisher_api.users.model import UserFields, UserPage, UserView
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/users", tags=["users"], route_class=AuthenticatedRoute)
_MAX_LIMIT = 100
_MAX_SEARCH = 320  # the longest e-mail address


@router.get("", responses=problems(401, 403, 422, 503))
def list_users(
    _producer: Producer,
    services: Services,
    search: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=_MAX_SEARCH,
            pattern=r"^[^\x00-\x1f\x7f]+$",
            description="How the id, e-mail address or phone number begins.",
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=_MAX_LIMIT)] = 20,
    after: Annotated[UserId | None, Query(description="The `next` of the page before.")] = None,
) -> UserPage:
    """List users, or search for them."""
    return service.list_users(services.pool, search, limit, after)


@router.put("/{user_id}", responses=problems(400, 401, 403, 413, 422, 503))
def put_user(user_id: UserId, fields: UserFields, _producer: Producer, services: Services) -> UserView:
    """Create or replace a user. A field that is left out is deleted. Devices stay."""
    return service.put_user(services.pool, user_id, fields)


@router.get("/{user_id}", responses=problems(401, 403, 404, 422, 503))
def get_user(user_id: UserId, _producer: Producer, services: Services) -> UserView:
    """Read a user with their devices. Registration tokens are not shown."""
    return service.get_user(services.pool, user_id)


@router.patch("/{user_id}", responses=problems(400, 401, 403, 404, 413, 422, 503))
def patch_user(user_id: UserId, changes: UserFields, _producer: Producer, services: Services) -> UserView:
    """Change some fields of a user, as JSON Merge Patch (RFC 7396) does: null deletes, and attributes are merged."""
    return service.patch_user(services.pool, user_id, changes)


@router.delete("/{user_id}", status_code=204, responses=problems(401, 403, 404, 422, 503))
def delete_user(user_id: UserId, producer: Producer, services: Services) -> Response:
    """Delete a user with their addresses and devices. Their preferences and notifications stay; to erase all of it, see
    `DELETE /v1/notifications/user/{user_id}`.
    """
    service.delete_user(services.pool, user_id, producer)
    return Response(status_code=204)
