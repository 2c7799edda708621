"""Limits in Postgres, and their buckets.

A trigger announces each change of a limit to the cached configuration of every instance.
"""

from collections.abc import Sequence
from typing import Any

from psycopg.types.json import Jsonb

from postgres.pool import Connected, fetch_one
from publisher_api.limits.model import LimitFields, LimitView
from publisher_api.limits.tokens import Claim, Taken, decode, encode

_SHOWN = "select scope, declaration, updated_at from limits"


def take(connection: Connected, claims: Sequence[Claim]) -> Taken:
    """Take tokens for the claims, in their order, in one statement. Time is that of Postgres.

    Holds the rows of the buckets until the transaction ends, so call this in a transaction of its own.
    """
    asked = encode(claims).decode()
    row = fetch_one(connection.execute("select take_tokens(%s::json)::text as taken", [asked]))
    return decode(row["taken"], claims)


def lock_limits(connection: Connected) -> None:
    """Allow one change to the limits at a time, also to one that does not exist yet."""
    connection.execute("lock table limits in share row exclusive mode")


def put_limit(connection: Connected, scope: str, fields: LimitFields, most: int) -> LimitView | None:
    """Declare a limit, or replace it; returns None if it would be one more than ``most``."""
    row = connection.execute(
        """
        insert into limits (scope, declaration)
        select %(scope)s, %(declaration)s
         where exists (select from limits where scope = %(scope)s) or (select count(*) from limits) < %(most)s
        on conflict (scope) do update set declaration = excluded.declaration, updated_at = now()
        returning scope, declaration, updated_at
        """,
        {"scope": scope, "declaration": Jsonb(fields.model_dump()), "most": most},
    ).fetchone()
    return _view(row) if row else None


def get_limit(connection: Connected, scope: str) -> LimitView | None:
    """The limit, or None."""
    row = connection.execute(f"{_SHOWN} where scope = %s", [scope]).fetchone()
    return _view(row) if row else None


def list_limits(connection: Connected) -> list[LimitView]:
    """The declared limits, by scope."""
    return [_view(row) for row in connection.execute(f"{_SHOWN} order by scope").fetchall()]


def delete_limit(connection: Connected, scope: str) -> None:
    """Delete the limit."""
    connection.execute("delete from limits where scope = %s", [scope])


def _view(row: dict[str, Any]) -> LimitView:
    return LimitView(scope=row["scope"], updated_at=row["updated_at"], **row["declaration"])
