"""/v1/users: where a user can be reached."""

from fastapi import APIRouter

from publisher_api.fields import UserId
from publisher_api.users import service
from publisher_api.users.model import UserFields, UserView
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/users", tags=["users"], route_class=AuthenticatedRoute)


@router.put("/{user_id}", responses=problems(400, 401, 413, 422, 503))
def put_user(user_id: UserId, fields: UserFields, _producer: Producer, services: Services) -> UserView:
    """Create or replace a user. A field that is left out is deleted."""
    return service.put_user(services.pool, user_id, fields)


@router.get("/{user_id}", responses=problems(401, 404, 422, 503))
def get_user(user_id: UserId, _producer: Producer, services: Services) -> UserView:
    """Read a user with their devices. Registration tokens are not shown."""
    return service.get_user(services.pool, user_id)
