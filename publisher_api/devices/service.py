"""The use cases of devices."""

from collections.abc import Callable

from publisher_api.db.pool import Pool
from publisher_api.devices import store
from publisher_api.devices.model import DeviceFields, DeviceView


def add_device(pool: Pool, new_id: Callable[[], str], user_id: str, device: DeviceFields) -> DeviceView:
    """Register a device, and create its user if needed. A known token moves to this user and keeps its device id."""
    with pool.connection() as connection:
        return store.put_device(connection, new_id(), user_id, device)
