"""DELETE /v1/notifications/user/{user_id}: erase a user everywhere; and where an erasure stands."""

from uuid import UUID

from fastapi import APIRouter, Response

from publisher_api.erasures.model import ErasureView
from publisher_api.fields import UserId
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1", tags=["privacy"], route_class=AuthenticatedRoute)
_LOCATION = {"Location": {"description": "Where to ask about the erasure.", "schema": {"type": "string"}}}


@router.delete(
    "/notifications/user/{user_id}",
    status_code=202,
    responses={202: {"headers": _LOCATION}, **problems(401, 403, 422, 503)},
)
def erase_user(user_id: UserId, producer: Producer, services: Services, response: Response) -> ErasureView:
    """Erase a user everywhere. Addresses, devices and preferences are gone when this answers, and what waits to be sent
    is canceled; if thousands of deliveries wait, the last ones within seconds. Notifications and the live inbox follow.
    The same request again answers where the erasure stands.
    """
    erasure = services.erasures.request(user_id, producer)
    response.headers["Location"] = f"/v1/erasures/{erasure.erasure_id}"
    return erasure


@router.get("/erasures/{erasure_id:uuid}", responses=problems(401, 403, 404, 503))
def get_erasure(erasure_id: UUID, _producer: Producer, services: Services) -> ErasureView:
    """Read where an erasure stands. It is `complete` when nothing of the user is left."""
    return services.erasures.get(erasure_id)
