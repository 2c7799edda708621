"""Templates in Postgres. A trigger announces each change to the cached configuration of every instance."""

from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from postgres.pool import Connected, fetch_one
from publisher_api.templates.model import TemplateView


def put_template(connection: Connected, name: str, content: dict[str, dict[str, Any]]) -> TemplateView:
    """Create or replace a template."""
    row = fetch_one(
        connection.execute(
            """
            insert into templates (template_name, content) values (%s, %s)
            on conflict (template_name) do update set content = excluded.content, updated_at = now()
            returning template_name, content, updated_at
            """,
            [name, Jsonb(content)],
        )
    )
    return TemplateView(**row)


def lock_templates(connection: Connected) -> None:
    """Let no other transaction change templates until this one ends. Reading them does not wait."""
    connection.execute("lock table templates in share row exclusive mode")


def get_template(connection: Connected, name: str) -> TemplateView | None:
    """The template, or None."""
    with connection.cursor(row_factory=class_row(TemplateView)) as cursor:
        cursor.execute("select template_name, content, updated_at from templates where template_name = %s", [name])
        return cursor.fetchone()
