"""Tenants: on a notification, and preferences within one. The tenant of preferences is '' where they are for all.

Revision ID: 0012
"""

from typing import Any

from alembic import op

revision = "0012"
down_revision = "0011"

SCHEMA = """
alter table notifications add column tenant text;

alter table preferences add column tenant text not null default '';
alter table preferences drop constraint preferences_pkey, add primary key (user_id, tenant);
"""


def upgrade() -> None:
    # psycopg itself accepts many statements at once, as long as there are no parameters.
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute(SCHEMA)
