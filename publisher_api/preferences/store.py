"""Preferences in Postgres: a document for each user, one for a user within a tenant, and one for the environment."""

from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from postgres.pool import Connected, fetch_one


class _Row(NamedTuple):
    """Where a document is: the table, the columns of its key and their placeholders, and their values."""

    table: str
    key: str
    placeholders: str
    values: list[str]


def _row_of(user_id: str, tenant: str | None) -> _Row:
    if tenant is None:
        return _Row("preferences", "user_id", "%s", [user_id])
    return _Row("tenant_preferences", "user_id, tenant", "%s, %s", [user_id, tenant])


def lock_user(connection: Connected, user_id: str) -> None:
    """Let no other transaction change the preferences of this user until this one ends. The user need not exist."""
    connection.execute("select pg_advisory_xact_lock(hashtextextended('preferences ' || %s, 0))", [user_id])


def put_preferences(connection: Connected, user_id: str, tenant: str | None, document: dict[str, Any]) -> None:
    """Replace the preferences of a user, who is locked and need not exist. Empty ones need no row."""
    row = _row_of(user_id, tenant)
    if not document:
        connection.execute(f"delete from {row.table} where ({row.key}) = ({row.placeholders})", row.values)
        return
    connection.execute(
        f"""
        insert into {row.table} ({row.key}, document) values ({row.placeholders}, %s)
        on conflict ({row.key}) do update set document = excluded.document, updated_at = now()
        """,
        [*row.values, Jsonb(document)],
    )


def get_preferences(connection: Connected, user_id: str, tenant: str | None) -> dict[str, Any]:
    """The preferences of a user; empty if there are none."""
    row = _row_of(user_id, tenant)
    statement = f"select document from {row.table} where ({row.key}) = ({row.placeholders})"
    return _document(connection, statement, row.values)


def count_other_tenants(connection: Connected, user_id: str, tenant: str) -> int:
    """Within how many tenants besides this one the user has preferences."""
    statement = "select count(*) from tenant_preferences where user_id = %s and tenant <> %s"
    count: int = fetch_one(connection.execute(statement, [user_id, tenant]))["count"]
    return count


def get_timezone(connection: Connected, user_id: str) -> str | None:
    """The timezone of a user, in which quiet hours are meant that name none."""
    row = connection.execute("select timezone from users where user_id = %s", [user_id]).fetchone()
    return row["timezone"] if row else None


def put_defaults(connection: Connected, document: dict[str, Any]) -> None:
    """Replace the preferences of the environment."""
    connection.execute("update preference_defaults set document = %s, updated_at = now()", [Jsonb(document)])


def get_defaults(connection: Connected) -> dict[str, Any]:
    """The preferences of the environment."""
    return _document(connection, "select document from preference_defaults", [])


def lock_defaults(connection: Connected) -> dict[str, Any]:
    """The preferences of the environment, held until the transaction ends."""
    return _document(connection, "select document from preference_defaults for update", [])


def _document(connection: Connected, statement: str, parameters: list[str]) -> dict[str, Any]:
    row = connection.execute(statement, parameters).fetchone()
    return row["document"] if row else {}
