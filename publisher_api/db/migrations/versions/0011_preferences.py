"""Preferences: a document for each user, who need not exist in ``users``, and one for the environment.

Revision ID: 0011
"""

from typing import Any

from alembic import op

revision = "0011"
down_revision = "0010"

SCHEMA = """
create table preferences (
    user_id    text primary key,
    document   jsonb not null,
    updated_at timestamptz not null default now()
);

create table preference_defaults (
    only_row   bool primary key default true check (only_row),
    document   jsonb not null default '{}',
    updated_at timestamptz not null default now()
);
insert into preference_defaults default values;

create trigger preference_defaults_changed after update on preference_defaults
    for each statement execute function tell_catalog();
"""


def upgrade() -> None:
    # psycopg itself accepts many statements at once, as long as there are no parameters.
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute(SCHEMA)
