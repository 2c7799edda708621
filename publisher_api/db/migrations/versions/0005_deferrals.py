"""A delivery may be deferred: it goes back into the outbox until its receiver is tried again.

The release before this one still works: it does not know a deferral, and refuses its outcome, which Pub/Sub then
delivers again until this release is there.

Revision ID: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("alter table deliveries add column deferrals int not null default 0")
    op.execute("alter table deliveries add column deferred_until timestamptz")
    op.execute("alter table delivery_events add column deferrals int not null default 0")
    op.execute("alter table delivery_events add column until timestamptz")
    op.execute("insert into delivery_moves (before, after) values ('queued', 'pending')")
