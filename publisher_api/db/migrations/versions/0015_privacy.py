"""Users are erased by a job with a row, and notifications are deleted when their time is over.

``state.erased`` remembers the inboxes that were erased, by a hash, so that no late message brings them back. The
release before this one still works: it writes entries without ``accepted_at``, and begins versions at 1.

Revision ID: 0015
"""

from typing import Any

from alembic import op

revision = "0015"
down_revision = "0014"

SCHEMA = """
create table erasures (
    erasure_id      uuid primary key,
    user_hash       bytea not null,  -- SHA-256: answers a repeated request when the id is gone
    user_id         text,            -- null when it is complete
    requested_at    timestamptz not null,
    until           timestamptz not null,  -- what was accepted by then is erased
    settled_at      timestamptz not null,  -- from then on nothing is committed, or put into the inbox, unnoticed
    next_at         timestamptz not null,  -- when the sweeper goes on with it
    devices         int not null default 0,
    notifications   int not null default 0,
    deliveries      int not null default 0,
    rows_erased_at  timestamptz,
    inbox_erased_at timestamptz,
    completed_at    timestamptz,
    check ((user_id is null) = (completed_at is not null))
);
create unique index erasures_running on erasures (user_id) where completed_at is null;
create index erasures_to_go_on on erasures (next_at) where completed_at is null;
create index erasures_of_user on erasures (user_hash);
create index erasures_completed on erasures (completed_at);
create index commands_of_user on commands using hash ((body ->> 'user_id'));
create index command_repeats_of_user on command_repeats using hash ((body ->> 'user_id'));

create table retention (
    only_row   bool primary key default true check (only_row),
    document   jsonb not null default '{}',
    updated_at timestamptz not null default now()
);
insert into retention default values;
-- What is deleted is at the beginning of an index. Vacuum it before a fifth of the table is dead.
alter table notifications set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
alter table delivery_events set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

alter table state.inbox add column accepted_at timestamptz;
-- Who knows an earlier version gets a snapshot, because entries were deleted since.
alter table state.inbox_heads add column first_version bigint not null default 0;
create table state.erased (
    user_hash bytea primary key,
    until     timestamptz not null,
    expire_at timestamptz not null
);
create index erased_expired on state.erased (expire_at);

do $$
begin
    if exists (select from pg_roles where rolname = 'heliograph_worker') then
        grant select, insert, update on state.erased to heliograph_worker;
        grant delete on state.inbox_heads to heliograph_worker;
    end if;
end $$;
"""


def upgrade() -> None:
    # psycopg itself accepts many statements at once, as long as there are no parameters.
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute(SCHEMA)
