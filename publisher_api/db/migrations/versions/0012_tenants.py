"""Tenants: on a notification, and preferences within one.

They have a table of their own: the release before reads and writes ``preferences`` by the user alone.

Revision ID: 0012
"""

from typing import Any

from alembic import op

revision = "0012"
down_revision = "0011"

SCHEMA = """
alter table notifications add column tenant text;
alter table state.inbox add column tenant text;

create table tenant_preferences (
    user_id    text not null,
    tenant     text not null,
    document   jsonb not null,
    updated_at timestamptz not null default now(),
    primary key (user_id, tenant)
);
"""


def upgrade() -> None:
    # psycopg itself accepts many statements at once, as long as there are no parameters.
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute(SCHEMA)
