"""The tables of the profiles outside of Google Cloud: the transport's messages, and the state of the functions.

They are in schemas of their own, for the role ``heliograph_worker``, which may touch nothing else. In the google
profile they stay empty. The release before this one does not know them.

Revision ID: 0006
"""

from typing import Any

from alembic import op

revision = "0006"
down_revision = "0005"

SCHEMA = """
create schema transport;
create table transport.messages (
    message_id   bigint generated always as identity primary key,
    subscription text not null,
    data         bytea not null,
    attributes   jsonb not null,
    attempts     int not null default 0,
    dead_after   int,  -- a dead letter: after how many attempts it died
    visible_at   timestamptz not null default clock_timestamp(),
    published_at timestamptz not null default clock_timestamp()
) with (
    -- Every row is updated and deleted within seconds.
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);
create index messages_of_subscription on transport.messages (subscription, visible_at);

create schema state;
create table state.ledger (
    key                  text primary key,  -- delivery and round
    state                text not null default 'claimed' check (state in ('claimed', 'released', 'finished')),
    claims               int not null default 1,
    unconfirmed_attempts int not null default 0,
    lease_until          timestamptz not null,
    outcome              bytea,
    expire_at            timestamptz not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
create index ledger_expired on state.ledger (expire_at);

create table state.switches (
    only_row boolean primary key default true check (only_row),
    version  bigint not null,
    channels jsonb not null
);

create table state.inbox (
    user_id         text not null,
    notification_id text not null,
    delivery_id     text not null,
    event_type      text not null,
    title           text not null,
    body            text not null,
    url             text,
    data            jsonb not null,
    actor_user_id   text,
    priority        int not null,
    created_at      timestamptz not null,
    delivered_at    timestamptz not null,
    read_at         timestamptz,
    expire_at       timestamptz not null,
    primary key (user_id, notification_id)
);
create index inbox_unread on state.inbox (user_id, delivered_at) where read_at is null;
create index inbox_expired on state.inbox (expire_at);

do $$
begin
    create role heliograph_worker nologin;
exception
    when duplicate_object or unique_violation then null;  -- roles belong to the server, and another database made it
    when insufficient_privilege then
        raise notice 'The role heliograph_worker cannot be created. The worker needs it outside of Google Cloud.';
end $$;
do $$
begin
    if exists (select from pg_roles where rolname = 'heliograph_worker') then
        grant usage on schema transport, state to heliograph_worker;
        grant select, insert, update, delete on transport.messages, state.ledger, state.inbox to heliograph_worker;
        grant select, insert, update on state.switches to heliograph_worker;
    end if;
end $$;
"""


def upgrade() -> None:
    # psycopg itself accepts many statements at once, as long as there are no parameters.
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute(SCHEMA)
