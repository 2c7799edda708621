"""The use cases of devices."""

from collections.abc import Callable
from uuid import UUID

from postgres.pool import Pool
from publisher_api.devices import store
from publisher_api.devices.model import DeviceFields, DeviceView
from publisher_api.refusal import not_found


def add_device(pool: Pool, new_id: Callable[[], str], user_id: str, device: DeviceFields) -> DeviceView:
    """Register a device, and create its user if needed. A known token moves to this user and keeps its device id."""
    with pool.connection() as connection:
        return store.put_device(connection, new_id(), user_id, device)


def delete_device(pool: Pool, user_id: str, device_id: UUID) -> None:
    """Delete a device of this user. Raises ``Refusal``."""
    with pool.connection() as connection:
        if not store.delete_device(connection, user_id, device_id):
            raise not_found(f"Device {device_id} of user {user_id!r}", f"GET /v1/users/{user_id} lists the devices.")
