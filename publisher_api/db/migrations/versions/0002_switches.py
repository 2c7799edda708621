"""Each channel stores the version of the channel switches at which it was last changed.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("alter table channels add column version bigint not null default 0")
