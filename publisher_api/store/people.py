"""People and their devices."""

from typing import Any

from publisher_api.store.pool import Connected, one

_PERSON = "user_id, email, phone, locale, timezone, created_at, updated_at"


def put_user(connection: Connected, user_id: str, fields: dict[str, str | None]) -> dict[str, Any]:
    """Create the person, or replace what is known of them; the answer is the row."""
    return one(
        connection.execute(
            f"""
        insert into users (user_id, email, phone, locale, timezone)
        values (%(user_id)s, %(email)s, %(phone)s, %(locale)s, %(timezone)s)
        on conflict (user_id) do update
           set email = excluded.email, phone = excluded.phone, locale = excluded.locale,
               timezone = excluded.timezone, updated_at = now()
        returning {_PERSON}
        """,
            {"user_id": user_id, **fields},
        )
    )


def get_user(connection: Connected, user_id: str) -> dict[str, Any] | None:
    """The person with their devices (without the tokens, which are as good as an address), or None."""
    row = connection.execute(f"select {_PERSON} from users where user_id = %s", [user_id]).fetchone()
    if row is None:
        return None
    devices = connection.execute(
        "select device_id, platform, created_at, seen_at from devices where user_id = %s order by seen_at desc",
        [user_id],
    ).fetchall()
    return {**row, "devices": devices}


def put_device(
    connection: Connected,
    device_id: str,
    user_id: str,
    token: str,
    platform: str,
) -> dict[str, Any]:
    """Register a device, and the person with it if nobody knew them. A known token moves to its new owner."""
    connection.execute("insert into users (user_id) values (%s) on conflict do nothing", [user_id])
    return one(
        connection.execute(
            """
        insert into devices (device_id, user_id, token, platform) values (%s, %s, %s, %s)
        on conflict (token) do update
           set user_id = excluded.user_id, platform = excluded.platform, seen_at = now()
        returning device_id, platform, created_at, seen_at
        """,
            [device_id, user_id, token, platform],
        )
    )
