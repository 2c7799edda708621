"""/v1/me/devices: the devices of the user who calls."""

from uuid import UUID

from fastapi import APIRouter, Response

from publisher_api.devices import service
from publisher_api.devices.model import DeviceFields, DeviceList, DeviceView
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Caller, Services

router = APIRouter(prefix="/v1/me/devices", tags=["own settings"], route_class=AuthenticatedRoute)


@router.get("", responses=problems(401, 403, 503))
def list_devices(user: Caller, services: Services) -> DeviceList:
    """List your devices, the one that was seen last first."""
    return service.list_own_devices(services.pool, user.user_id)


@router.post("", status_code=201, responses=problems(400, 401, 403, 413, 422, 503))
def add_device(device: DeviceFields, user: Caller, services: Services) -> DeviceView:
    """Register a device of yours for push. Call it whenever the app starts."""
    return service.add_device(services.pool, services.new_id, user.user_id, device)


@router.put("/{device_id}", responses=problems(400, 401, 403, 404, 413, 422, 503))
def refresh_device(device_id: UUID, device: DeviceFields, user: Caller, services: Services) -> DeviceView:
    """Give a device of yours its new registration token, or say that it was seen."""
    return service.refresh_device(services.pool, user.user_id, device_id, device, router.prefix)


@router.delete("/{device_id}", status_code=204, responses=problems(401, 403, 404, 422, 503))
def delete_device(device_id: UUID, user: Caller, services: Services) -> Response:
    """Delete a device of yours, for example when you sign out."""
    service.delete_device(services.pool, user.user_id, device_id, router.prefix)
    return Response(status_code=204)
