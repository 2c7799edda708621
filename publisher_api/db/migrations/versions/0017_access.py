"""Access: scopes, tenants, expiry and last use of API keys, and the log of administrative changes.

Revision ID: 0017
"""

from typing import Any

from alembic import op

revision = "0017"
down_revision = "0016"

SCHEMA = """
alter table api_keys
    add column prefix          text,  -- null: the key is older than this column
    -- What each key could do before there were scopes. The release before also creates keys without this column.
    add column scopes          text[] not null default '{send,read_all,users,configure}',
    add column tenant          text,
    add column expires_at      timestamptz,
    add column overlap_ends_at timestamptz,  -- another key replaces this one, which is accepted until then
    add column last_used_at    timestamptz;

-- The time of the last use is not configuration, so writing it must not announce a change.
drop trigger api_keys_changed on api_keys;
create trigger api_keys_changed after insert or delete or update of revoked_at, expires_at, overlap_ends_at on api_keys
    for each statement execute function tell_catalog();

create table audit_log (
    entry_id   bigint generated always as identity primary key,
    at         timestamptz not null default now(),
    principal  text not null,
    credential text not null,
    action     text not null,
    object     text not null,
    changes    jsonb not null
);
create index audit_log_object on audit_log (object, entry_id);
create index audit_log_principal on audit_log (principal, entry_id);
"""


def upgrade() -> None:
    # psycopg itself accepts many statements at once, as long as there are no parameters.
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute(SCHEMA)
