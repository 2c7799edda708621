"""Users in Postgres."""

from collections.abc import Collection

import msgspec

from postgres.pool import Connected
from publisher_api.devices.store import list_devices
from publisher_api.users.model import User, UserFields, UserView


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


def load_users(connection: Connected, user_ids: Collection[str]) -> list[User]:
    """The users among these, with the tokens of their devices."""
    rows = connection.execute(
        """
        select user_id, email, phone, locale, timezone,
               array(select d.token from devices d where d.user_id = u.user_id order by d.seen_at desc) as devices
          from users u where user_id = any(%s)
        """,
        [list(user_ids)],
    ).fetchall()
    return msgspec.convert(rows, list[User])
