"""Preferences in Postgres: a document for each user, one for a user within a tenant, and one for the environment.

The tenant is '' where a choice is for every tenant.
"""

from typing import Any

from psycopg.types.json import Jsonb

from postgres.pool import Connected

_OF_USER = "select document from preferences where user_id = %s and tenant = %s"


def put_preferences(connection: Connected, user_id: str, tenant: str | None, document: dict[str, Any]) -> None:
    """Replace the preferences of a user, who need not exist."""
    connection.execute(
        """
        insert into preferences (user_id, tenant, document) values (%s, %s, %s)
        on conflict (user_id, tenant) do update set document = excluded.document, updated_at = now()
        """,
        [user_id, tenant or "", Jsonb(document)],
    )


def lock_preferences(connection: Connected, user_id: str, tenant: str | None) -> dict[str, Any]:
    """The preferences of a user, held until the transaction ends. A user without any gets empty ones."""
    connection.execute(
        "insert into preferences (user_id, tenant, document) values (%s, %s, '{}') on conflict do nothing",
        [user_id, tenant or ""],
    )
    return _document(connection, f"{_OF_USER} for update", user_id, tenant or "")


def get_preferences(connection: Connected, user_id: str, tenant: str | None) -> dict[str, Any]:
    """The preferences of a user; empty if there are none."""
    return _document(connection, _OF_USER, user_id, tenant or "")


def put_defaults(connection: Connected, document: dict[str, Any]) -> None:
    """Replace the preferences of the environment."""
    connection.execute("update preference_defaults set document = %s, updated_at = now()", [Jsonb(document)])


def get_defaults(connection: Connected) -> dict[str, Any]:
    """The preferences of the environment."""
    return _document(connection, "select document from preference_defaults")


def _document(connection: Connected, statement: str, *parameters: str) -> dict[str, Any]:
    row = connection.execute(statement, parameters).fetchone()
    return row["document"] if row else {}
