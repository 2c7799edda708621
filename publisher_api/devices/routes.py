"""/v1/users/{user_id}/devices: registering devices for push."""

from uuid import UUID

from fastapi import APIRouter, Response

from publisher_api.devices import service
from publisher_api.devices.model import DeviceFields, DeviceView
from publisher_api.fields import UserId
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/users/{user_id}/devices", tags=["users"], route_class=AuthenticatedRoute)


@router.post("", status_code=201, responses=problems(400, 401, 413, 422, 503))
def add_device(user_id: UserId, device: DeviceFields, _producer: Producer, services: Services) -> DeviceView:
    """Register a device for push. A token that is known already moves to this user."""
    return service.add_device(services.pool, services.new_id, user_id, device)


@router.delete("/{device_id}", status_code=204, responses=problems(401, 404, 422, 503))
def delete_device(user_id: UserId, device_id: UUID, _producer: Producer, services: Services) -> Response:
    """Delete a device, for example when its user signs out. It also gets no notification that was scheduled before."""
    service.delete_device(services.pool, user_id, device_id)
    return Response(status_code=204)
