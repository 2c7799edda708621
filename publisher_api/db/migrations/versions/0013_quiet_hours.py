"""A delivery says why it is due later than its notification.

Revision ID: 0013
"""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("alter table deliveries add column held_by text")
