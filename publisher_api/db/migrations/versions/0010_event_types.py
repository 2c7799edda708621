"""Event types: what follows from an event, as data. Each declaration is kept as a version.

Revision ID: 0010
"""

from typing import Any

from alembic import op

revision = "0010"
down_revision = "0009"

SCHEMA = """
create table event_types (
    event_type  text primary key,
    version     int not null,
    declaration jsonb not null,  -- the fields of the API
    updated_at  timestamptz not null default now()
);

create table event_type_versions (
    event_type  text not null,
    version     int not null,
    declaration jsonb not null,
    updated_at  timestamptz not null,
    primary key (event_type, version)
);

create trigger event_types_changed after insert or update or delete on event_types
    for each statement execute function tell_catalog();
"""


def upgrade() -> None:
    # psycopg itself accepts many statements at once, as long as there are no parameters.
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute(SCHEMA)
