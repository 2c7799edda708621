"""The epoch of the transport, so that a publisher notices when the transport has lost messages.

Only a transport that may lose messages has one. The release before this one does not know the table.

Revision ID: 0007
"""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
        create table transport_epoch (
            only_row   boolean primary key default true check (only_row),
            data       text not null,
            process    text not null,
            seen_at    timestamptz not null,
            -- What was published since then, and marked as published until then, may be lost. Null: nothing is.
            lost_since timestamptz,
            lost_until timestamptz
        )
    """)
