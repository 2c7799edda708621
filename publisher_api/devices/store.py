"""Devices in Postgres."""

from uuid import UUID

from psycopg.rows import class_row

from postgres.pool import Connected, fetch_one
from publisher_api.devices.model import DeviceFields, DeviceView

MAX_DEVICES = 50
"""Of one user. A push is a delivery to each."""


def put_device(connection: Connected, device_id: str, user_id: str, device: DeviceFields) -> DeviceView:
    """Register a device, and create its user if needed. A known token moves to its new user.

    Of more than ``MAX_DEVICES`` the user keeps those that were seen last.
    """
    connection.execute("insert into users (user_id) values (%s) on conflict do nothing", [user_id])
    row = fetch_one(
        connection.execute(
            """
            insert into devices (device_id, user_id, token, platform) values (%s, %s, %s, %s)
            on conflict (token) do update
               set user_id = excluded.user_id, platform = excluded.platform, seen_at = now()
            returning device_id, platform, created_at, seen_at
            """,
            [device_id, user_id, device.token, device.platform],
        )
    )
    connection.execute(
        """
        delete from devices where device_id in (
            select device_id from devices where user_id = %s order by seen_at desc, device_id desc offset %s)
        """,
        [user_id, MAX_DEVICES],
    )
    return DeviceView(**row)


def list_devices(connection: Connected, user_id: str) -> list[DeviceView]:
    """The devices of a user, the one that was seen last first."""
    with connection.cursor(row_factory=class_row(DeviceView)) as cursor:
        cursor.execute(
            "select device_id, platform, created_at, seen_at from devices where user_id = %s order by seen_at desc",
            [user_id],
        )
        return cursor.fetchall()


def refresh_device(connection: Connected, user_id: str, device_id: UUID, device: DeviceFields) -> DeviceView | None:
    """Give this user's device another token, which no other device keeps; None if the user has no such device."""
    row = connection.execute(
        "select from devices where user_id = %s and device_id = %s for update", [user_id, device_id]
    ).fetchone()
    if row is None:
        return None
    connection.execute("delete from devices where token = %s and device_id <> %s", [device.token, device_id])
    refreshed = connection.execute(
        """
        update devices set token = %s, platform = %s, seen_at = now() where device_id = %s
        returning device_id, platform, created_at, seen_at
        """,
        [device.token, device.platform, device_id],
    )
    return DeviceView(**fetch_one(refreshed))


def delete_device(connection: Connected, user_id: str, device_id: UUID) -> bool:
    """Delete a device; returns whether this user had it."""
    deleted = connection.execute("delete from devices where user_id = %s and device_id = %s", [user_id, device_id])
    return deleted.rowcount > 0
