"""/v1/users/{user_id}/devices: the devices of a user, for push."""

from uuid import UUID

from fastapi import APIRouter, Response

from publisher_api.devices import service
from publisher_api.devices.model import DeviceFields, DeviceList, DeviceView
from publisher_api.fields import UserId
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/users/{user_id}/devices", tags=["users"], route_class=AuthenticatedRoute)


@router.get("", responses=problems(401, 403, 404, 422, 503))
def list_devices(user_id: UserId, _producer: Producer, services: Services) -> DeviceList:
    """List the devices of a user, the one that was seen last first. Registration tokens are not shown."""
    return service.list_devices(services.pool, user_id)


@router.post("", status_code=201, responses=problems(400, 401, 403, 413, 422, 503))
def add_device(user_id: UserId, device: DeviceFields, _producer: Producer, services: Services) -> DeviceView:
    """Register a device for push. A token that is known already moves to this user, and keeps its device id.

    Call it whenever the app starts: a device that was not seen for 270 days is deleted.
    """
    return service.add_device(services.pool, services.new_id, user_id, device)


@router.put("/{device_id}", responses=problems(400, 401, 403, 404, 413, 422, 503))
def refresh_device(
    user_id: UserId, device_id: UUID, device: DeviceFields, _producer: Producer, services: Services
) -> DeviceView:
    """Give a device its new registration token, or say that it was seen."""
    return service.refresh_device(services.pool, user_id, device_id, device, _list_path(user_id))


@router.delete("/{device_id}", status_code=204, responses=problems(401, 403, 404, 422, 503))
def delete_device(user_id: UserId, device_id: UUID, _producer: Producer, services: Services) -> Response:
    """Delete a device, for example when its user signs out. It also gets no notification that was scheduled before."""
    service.delete_device(services.pool, user_id, device_id, _list_path(user_id))
    return Response(status_code=204)


def _list_path(user_id: str) -> str:
    return router.prefix.format(user_id=user_id)
