"""Preferences in Postgres: one document for each user, and one for the environment."""

from typing import Any

from psycopg.types.json import Jsonb

from postgres.pool import Connected


def put_preferences(connection: Connected, user_id: str, document: dict[str, Any]) -> None:
    """Replace the preferences of a user, who need not exist."""
    connection.execute(
        """
        insert into preferences (user_id, document) values (%s, %s)
        on conflict (user_id) do update set document = excluded.document, updated_at = now()
        """,
        [user_id, Jsonb(document)],
    )


def lock_preferences(connection: Connected, user_id: str) -> dict[str, Any]:
    """The preferences of a user, held until the transaction ends. A user without any gets empty ones."""
    connection.execute(
        "insert into preferences (user_id, document) values (%s, '{}') on conflict do nothing", [user_id]
    )
    return _document(connection, "select document from preferences where user_id = %s for update", user_id)


def get_preferences(connection: Connected, user_id: str) -> dict[str, Any]:
    """The preferences of a user; empty if there are none."""
    return _document(connection, "select document from preferences where user_id = %s", user_id)


def put_defaults(connection: Connected, document: dict[str, Any]) -> None:
    """Replace the preferences of the environment."""
    connection.execute("update preference_defaults set document = %s, updated_at = now()", [Jsonb(document)])


def get_defaults(connection: Connected) -> dict[str, Any]:
    """The preferences of the environment."""
    return _document(connection, "select document from preference_defaults")


def _document(connection: Connected, statement: str, *parameters: str) -> dict[str, Any]:
    row = connection.execute(statement, parameters).fetchone()
    return row["document"] if row else {}
