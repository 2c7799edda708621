"""Indexes of the large tables, for retention and for the urgent deliveries of a sweep.

They are built while rows are written, so this migration is no transaction. When it fails, run it again.

Revision ID: 0019
"""

from alembic import op

revision = "0019"
down_revision = "0018"

INDEXES = {
    "notifications_by_age": "notifications (event_type, greatest(created_at, accepted_at, deliver_at))",
    "deliveries_to_sweep_urgent": "deliveries (sweep_at) where urgent and status in ('pending', 'queued')",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, definition in INDEXES.items():
            op.execute(f"drop index if exists {name}")  # a build that was interrupted leaves an invalid one
            op.execute(f"create index concurrently {name} on {definition}")
