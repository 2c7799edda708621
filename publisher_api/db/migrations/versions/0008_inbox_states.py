"""An entry of an inbox may be seen and archived, besides read; and each inbox has a version, for clients that listen.

``state.inbox_heads`` has the version of each inbox. A statement that changes an inbox locks its row, raises the
version, and stores it in the entries that it changes. So the versions of one user become visible in order, and a client
that knows version 7 has missed exactly the entries with a higher one.

The release before this one still works: it writes entries of version 0, which appear in pages and in snapshots, and
marks notifications as read without marking them as seen, which counts as seen.

Revision ID: 0008
"""

from typing import Any

from alembic import op

revision = "0008"
down_revision = "0007"

SCHEMA = """
alter table notifications add column seen_at timestamptz, add column archived_at timestamptz;

alter table state.inbox
    add column seen_at     timestamptz,
    add column archived_at timestamptz,
    add column version     bigint not null default 0;
create index inbox_by_delivery on state.inbox (user_id, delivered_at, notification_id);
create index inbox_changes on state.inbox (user_id, version) where version > 0;

create table state.inbox_heads (
    user_id text primary key,
    version bigint not null
) with (fillfactor = 70);  -- every row is updated again and again

do $$
begin
    if exists (select from pg_roles where rolname = 'heliograph_worker') then
        grant select, insert, update on state.inbox_heads to heliograph_worker;
    end if;
end $$;
"""


def upgrade() -> None:
    # psycopg itself accepts many statements at once, as long as there are no parameters.
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute(SCHEMA)
