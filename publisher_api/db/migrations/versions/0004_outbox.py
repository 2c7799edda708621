"""A delivery counts how often it was published again without an outcome, and an expired one may turn out as sent.

A command counts how often it was published, and waits to be published again. The tables of the outbox are vacuumed
early. The release before this one still works: it neither reads nor writes what is new, and publishes a command once.

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
        "create table command_repeats (command_id uuid primary key, body jsonb not null, published smallint not null,"
        " due_at timestamptz not null)"
    )
    op.execute("create index command_repeats_due on command_repeats (due_at)")
    # By default Postgres vacuums a table when a fifth of it is dead: of 20 million deliveries, after 4 million. Each
    # vacuum reads every index, so a threshold that does not grow with the table would vacuum a large one all the time.
    op.execute(
        "alter table deliveries set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02,"
        " autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0.02)"
    )
    # Small, and every row of it is updated and deleted.
    op.execute(
        "alter table commands set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02,"
        " autovacuum_vacuum_threshold = 5000)"
    )
    op.execute(
        "insert into delivery_moves (before, after) values"
        " ('expired', 'sent'), ('expired', 'delivered'), ('expired', 'bounced')"
    )
