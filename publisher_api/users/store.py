"""Users in Postgres."""

from publisher_api.db.pool import Connected
from publisher_api.devices.store import list_devices
from publisher_api.users.model import UserFields, UserView


def put_user(connection: Connected, user_id: str, fields: UserFields) -> None:
    """Create the user, or replace everything that is stored of them."""
    connection.execute(
        """
        insert into users (user_id, email, phone, locale, timezone)
        values (%(user_id)s, %(email)s, %(phone)s, %(locale)s, %(timezone)s)
        on conflict (user_id) do update
           set email = excluded.email, phone = excluded.phone, locale = excluded.locale,
               timezone = excluded.timezone, updated_at = now()
        """,
        {"user_id": user_id, **fields.model_dump()},
    )


def get_user(connection: Connected, user_id: str) -> UserView | None:
    """The user with their devices, or None."""
    row = connection.execute(
        "select user_id, email, phone, locale, timezone, created_at, updated_at from users where user_id = %s",
        [user_id],
    ).fetchone()
    return UserView(**row, devices=list_devices(connection, user_id)) if row else None
