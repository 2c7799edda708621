"""Users in Postgres."""

from collections.abc import Collection
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from postgres.pool import Connected
from publisher_api.users.model import User, UserFields, UserView

MATCHES = "(user_id like %(prefix)s or lower(email) like lower(%(prefix)s) or phone like %(prefix)s)"
"""The condition of a search."""
_SHOWN = """
    select user_id, email, phone, locale, timezone, attributes, created_at, updated_at,
           (select coalesce(json_agg(d order by d.seen_at desc), '[]')
              from (select device_id, platform, created_at, seen_at from devices
                     where devices.user_id = users.user_id) as d) as devices
      from users
"""


def put_user(connection: Connected, user_id: str, fields: UserFields) -> None:
    """Create the user, or replace everything that is stored of them."""
    connection.execute(
        """
        insert into users (user_id, email, phone, locale, timezone, attributes)
        values (%(user_id)s, %(email)s, %(phone)s, %(locale)s, %(timezone)s, %(attributes)s)
        on conflict (user_id) do update
           set email = excluded.email, phone = excluded.phone, locale = excluded.locale,
               timezone = excluded.timezone, attributes = excluded.attributes, updated_at = now()
        """,
        {"user_id": user_id, **fields.model_dump(), "attributes": Jsonb(fields.attributes or {})},
    )


def lock_fields(connection: Connected, user_id: str) -> dict[str, Any] | None:
    """The fields of the user, by name, held until the transaction ends; None if there is no user."""
    return connection.execute(
        "select email, phone, locale, timezone, attributes from users where user_id = %s for update", [user_id]
    ).fetchone()


def get_user(connection: Connected, user_id: str) -> UserView | None:
    """The user with their devices, or None."""
    row = connection.execute(f"{_SHOWN} where user_id = %s", [user_id]).fetchone()
    return UserView(**row) if row else None


def list_users(connection: Connected, search: str | None, limit: int, after: str | None) -> list[UserView]:
    """Up to ``limit`` users, sorted by id, that follow ``after`` and have something that begins with ``search``."""
    conditions = ["user_id > %(after)s"] if after is not None else []
    if search is not None:
        conditions.append(MATCHES)
    where = f"where {' and '.join(conditions)}" if conditions else ""
    rows = connection.execute(
        f"{_SHOWN} {where} order by user_id limit %(limit)s",
        {"after": after, "prefix": _prefix(search or ""), "limit": limit},
    ).fetchall()
    return [UserView(**row) for row in rows]


def delete_user(connection: Connected, user_id: str) -> bool:
    """Delete the user with their devices; returns whether there was one."""
    return connection.execute("delete from users where user_id = %s", [user_id]).rowcount > 0


def load_users(connection: Connected, user_ids: Collection[str]) -> list[User]:
    """The users among these, with the tokens of their devices."""
    rows = connection.execute(
        """
        select user_id, email, phone, locale, timezone, attributes,
               array(select d.token from devices d where d.user_id = u.user_id order by d.seen_at desc) as devices
          from users u where user_id = any(%s)
        """,
        [list(user_ids)],
    ).fetchall()
    return msgspec.convert(rows, list[User])


def _prefix(text: str) -> str:
    """The pattern of LIKE for what begins with ``text``."""
    for character in "\\%_":
        text = text.replace(character, f"\\{character}")
    return f"{text}%"
