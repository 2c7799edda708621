"""A user has attributes for templates, and is found by how the id, e-mail address or phone number begins.

Revision ID: 0009
"""

from typing import Any

from alembic import op

revision = "0009"
down_revision = "0008"

SCHEMA = """
alter table users add column attributes jsonb not null default '{}';
create index users_by_id_prefix on users (user_id text_pattern_ops);
create index users_by_email_prefix on users (lower(email) text_pattern_ops);
create index users_by_phone_prefix on users (phone text_pattern_ops);
create index devices_unseen on devices (seen_at);
"""


def upgrade() -> None:
    # psycopg itself accepts many statements at once, as long as there are no parameters.
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute(SCHEMA)
