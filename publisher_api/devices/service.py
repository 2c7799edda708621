"""The use cases of devices."""

from collections.abc import Callable
from uuid import UUID

from psycopg.errors import UniqueViolation

from postgres.pool import Pool
from publisher_api.devices import store
from publisher_api.devices.model import DeviceFields, DeviceList, DeviceView
from publisher_api.refusal import Refusal, not_found
from publisher_api.users.service import get_user


def list_own_devices(pool: Pool, user_id: str) -> DeviceList:
    """The devices of the user who calls; none of a user who is not stored."""
    with pool.connection() as connection:
        return DeviceList(devices=store.list_devices(connection, user_id))


def list_devices(pool: Pool, user_id: str) -> DeviceList:
    """The devices of the user, the one that was seen last first. Raises ``Refusal``."""
    return DeviceList(devices=get_user(pool, user_id).devices)


def add_device(pool: Pool, new_id: Callable[[], str], user_id: str, device: DeviceFields) -> DeviceView:
    """Register a device, and create its user if needed. A known token moves to this user and keeps its device id."""
    with pool.connection() as connection:
        return store.put_device(connection, new_id(), user_id, device)


def refresh_device(pool: Pool, user_id: str, device_id: UUID, device: DeviceFields, list_path: str) -> DeviceView:
    """Replace the token of this user's device, which was seen now.

    Raises ``Refusal``; ``list_path`` is where its caller finds the devices.
    """
    try:
        refreshed = _refreshed(pool, user_id, device_id, device)
    except UniqueViolation:  # another request stored the token meanwhile; now it is there to be taken
        refreshed = _refreshed(pool, user_id, device_id, device)
    if refreshed is None:
        raise _unknown(device_id, list_path)
    return refreshed


def delete_device(pool: Pool, user_id: str, device_id: UUID, list_path: str) -> None:
    """Delete a device of this user. Raises ``Refusal``; ``list_path`` is where its caller finds the devices."""
    with pool.connection() as connection:
        if not store.delete_device(connection, user_id, device_id):
            raise _unknown(device_id, list_path)


def _refreshed(pool: Pool, user_id: str, device_id: UUID, device: DeviceFields) -> DeviceView | None:
    with pool.connection() as connection:
        return store.refresh_device(connection, user_id, device_id, device)


def _unknown(device_id: UUID, list_path: str) -> Refusal:
    return not_found(f"Device {device_id}", f"GET {list_path} lists the devices.")
