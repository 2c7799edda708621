"""A delivery knows whether it is urgent, so that a sweep finds the urgent ones by an index of their own.

The release before this one still works: what it accepts is not urgent in a sweep.

Revision ID: 0018
"""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("alter table deliveries add column urgent boolean not null default false")
    op.execute(
        "create index deliveries_to_sweep_urgent on deliveries (sweep_at)"
        " where urgent and status in ('pending', 'queued')"
    )
