"""A delivery counts how often it was published again without an outcome, and an expired one may turn out as sent.

A command counts how often it was published. The release before this one still works: it neither reads nor writes the
new columns, and deletes a command when it is published.

Revision ID: 0004
"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("alter table deliveries add column unreported smallint not null default 0")
    # Almost empty: only the deliveries that the health check of the sweep reports.
    op.execute("create index deliveries_overdue on deliveries (delivery_id) where status = 'queued' and unreported = 2")
    op.execute("alter table commands add column published smallint not null default 0")
    op.execute(
        "insert into delivery_moves (before, after) values"
        " ('expired', 'sent'), ('expired', 'delivered'), ('expired', 'bounced')"
    )
