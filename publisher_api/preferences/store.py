"""Preferences in Postgres: a document for each user, one for a user within a tenant, and one for the environment."""

from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from postgres.pool import Connected


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


def put_preferences(connection: Connected, user_id: str, tenant: str | None, document: dict[str, Any]) -> None:
    """Replace the preferences of a user, who need not exist."""
    row = _row_of(user_id, tenant)
    connection.execute(
        f"""
        insert into {row.table} ({row.key}, document) values ({row.placeholders}, %s)
        on conflict ({row.key}) do update set document = excluded.document, updated_at = now()
        """,
        [*row.values, Jsonb(document)],
    )


def lock_preferences(connection: Connected, user_id: str, tenant: str | None) -> dict[str, Any]:
    """The preferences of a user, held until the transaction ends. A user without any gets empty ones."""
    row = _row_of(user_id, tenant)
    connection.execute(
        f"insert into {row.table} ({row.key}, document) values ({row.placeholders}, '{{}}') on conflict do nothing",
        row.values,
    )
    return _document(connection, f"{_select(row)} for update", row.values)


def get_preferences(connection: Connected, user_id: str, tenant: str | None) -> dict[str, Any]:
    """The preferences of a user; empty if there are none."""
    row = _row_of(user_id, tenant)
    return _document(connection, _select(row), row.values)


def put_defaults(connection: Connected, document: dict[str, Any]) -> None:
    """Replace the preferences of the environment."""
    connection.execute("update preference_defaults set document = %s, updated_at = now()", [Jsonb(document)])


def get_defaults(connection: Connected) -> dict[str, Any]:
    """The preferences of the environment."""
    return _document(connection, "select document from preference_defaults", [])


def lock_defaults(connection: Connected) -> dict[str, Any]:
    """The preferences of the environment, held until the transaction ends."""
    return _document(connection, "select document from preference_defaults for update", [])


def _select(row: _Row) -> str:
    return f"select document from {row.table} where ({row.key}) = ({row.placeholders})"


def _document(connection: Connected, statement: str, parameters: list[str]) -> dict[str, Any]:
    row = connection.execute(statement, parameters).fetchone()
    return row["document"] if row else {}
