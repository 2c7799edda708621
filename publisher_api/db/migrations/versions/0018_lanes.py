"""A delivery knows whether it is urgent, so that a sweep finds the urgent ones first.

The release before this one still works: what it accepts is not urgent in a sweep.

Revision ID: 0018
"""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("alter table deliveries add column urgent boolean not null default false")
