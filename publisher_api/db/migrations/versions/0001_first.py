"""The first schema: users, notifications, deliveries, and the outbox.

Revision ID: 0001
"""

from typing import Any

from alembic import op

revision = "0001"
down_revision = None

SCHEMA = """
create table api_keys (
    key_hash    bytea primary key,  -- SHA-256: a key is 256 random bits and needs no slow hash
    key_id      uuid not null unique,
    producer    text not null,
    created_at  timestamptz not null default now(),
    revoked_at  timestamptz
);

create table users (
    user_id     text primary key,
    email       text,
    phone       text,
    locale      text,
    timezone    text,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);

create table devices (
    device_id   uuid primary key,
    user_id     text not null references users on delete cascade,
    token       text not null unique check (length(token) <= 2000),  -- a token belongs to one user: its newest
    platform    text not null,
    created_at  timestamptz not null default now(),
    seen_at     timestamptz not null default now()
);
create index devices_of_user on devices (user_id);

create table templates (
    template_name text primary key,
    content       jsonb not null,  -- channel or channel type → content, each text a Jinja template
    updated_at    timestamptz not null default now()
);

create sequence channels_version;
create table channels (
    slug       text primary key,
    kind       text not null,
    enabled    boolean not null default true,
    config     jsonb not null default '{}',  -- never a credential: a config names a secret (secret_ref)
    updated_at timestamptz not null default now()
);
insert into channels (slug, kind) values
    ('email', 'email'), ('inapp', 'inapp'), ('push', 'push'), ('sms', 'sms'), ('webhook', 'webhook');

create table notifications (
    notification_id uuid primary key,  -- version 7: sorts by time
    producer        text not null,
    user_id         text not null,
    event_type      text not null,
    actor_user_id   text,
    channels        text[] not null,
    payload         jsonb not null,
    template_name   text,
    dedup_key       text,
    priority        smallint not null,
    deliver_at      timestamptz,
    traceparent     text,
    created_at      timestamptz not null,
    inbox_at        timestamptz,  -- when it is due in the live inbox; null: not meant for the inbox
    read_at         timestamptz
);
create index notifications_of_user on notifications (user_id, notification_id);
create index notifications_unread on notifications (user_id, inbox_at) where read_at is null and inbox_at is not null;

create table delivery_moves (before text, after text, primary key (before, after));
insert into delivery_moves (before, after) values
    ('pending', 'queued'), ('pending', 'canceled'),
    ('pending', 'sent'), ('pending', 'delivered'), ('pending', 'failed'), ('pending', 'suppressed'),
    ('pending', 'expired'), ('pending', 'dead'),
    ('queued', 'sent'), ('queued', 'delivered'), ('queued', 'failed'), ('queued', 'suppressed'),
    ('queued', 'expired'), ('queued', 'dead'),
    ('sent', 'delivered'), ('failed', 'pending'), ('dead', 'pending'), ('dead', 'sent'), ('dead', 'delivered');

create table deliveries (
    delivery_id         uuid primary key,
    notification_id     uuid not null references notifications on delete cascade,
    kind                text not null,
    slug                text not null,
    round               int not null default 0,
    status              text not null,
    reason              text,
    recipient           text,   -- null: suppressed because there was none
    content             jsonb,  -- as rendered when it was accepted
    due_at              timestamptz not null,
    expires_at          timestamptz not null,
    sweep_at            timestamptz not null,  -- claimed until then: by the relay, a sweep, or its function
    queued_at           timestamptz,
    provider            text,
    provider_message_id text,
    possible_duplicate  boolean not null default false,
    updated_at          timestamptz not null
);
create index deliveries_of_notification on deliveries (notification_id);
create index deliveries_to_sweep on deliveries (sweep_at) where status in ('pending', 'queued');

create function refuse_backward_move() returns trigger language plpgsql as $$
begin
    if not exists (select from delivery_moves where before = old.status and after = new.status) then
        raise exception 'delivery % cannot move from % to %', old.delivery_id, old.status, new.status
            using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger deliveries_only_move_forward before update of status on deliveries
    for each row when (old.status is distinct from new.status) execute function refuse_backward_move();

create table delivery_events (
    event_id            bigint generated always as identity primary key,
    delivery_id         uuid not null references deliveries on delete cascade,
    round               int not null,
    result              text not null,
    at                  timestamptz not null,
    received_at         timestamptz,
    recorded_at         timestamptz not null default clock_timestamp(),
    attempt             int,
    reason              text,
    detail              text,
    provider            text,
    provider_message_id text,
    possible_duplicate  boolean not null default false,
    unique (delivery_id, round, result, at)  -- the same outcome, delivered twice, is one event
);

create table commands (
    command_id uuid primary key,
    body       jsonb not null,
    sweep_at   timestamptz not null
);
create index commands_to_sweep on commands (sweep_at);

create table dedup_keys (
    producer        text not null,
    dedup_key       text not null,
    notification_id uuid not null,
    expires_at      timestamptz not null,
    primary key (producer, dedup_key)
);
create index dedup_keys_expired on dedup_keys (expires_at);

create table idempotency_keys (
    producer        text not null,
    idempotency_key text not null,
    body_hash       text not null,
    answer          jsonb not null,
    expires_at      timestamptz not null,
    primary key (producer, idempotency_key)
);
create index idempotency_keys_expired on idempotency_keys (expires_at);

create function tell_catalog() returns trigger language plpgsql as $$
begin
    perform pg_notify('catalog', tg_table_name);
    return null;
end $$;
create trigger channels_changed after insert or update or delete on channels
    for each statement execute function tell_catalog();
create trigger templates_changed after insert or update or delete on templates
    for each statement execute function tell_catalog();
create trigger api_keys_changed after insert or update or delete on api_keys
    for each statement execute function tell_catalog();
"""


def upgrade() -> None:
    # psycopg itself accepts many statements at once, as long as there are no parameters.
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute(SCHEMA)
