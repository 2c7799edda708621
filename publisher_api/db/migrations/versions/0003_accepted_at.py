"""Notifications store when they were accepted, apart from when their event happened; deliveries may bounce.

``created_at`` is now the producer's, and may be earlier. Lists are sorted by it, since an id that a producer gives need
not sort by time. The release before this one still works: it only reads lists without the index that is dropped here.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # Null in old rows, whose created_at is the time of accepting: to fill it in would rewrite the whole table.
    op.execute("alter table notifications add column accepted_at timestamptz")
    op.execute("alter table notifications alter column accepted_at set default now()")
    # Ascending, and read backwards: new rows then go to the end of each user's range, where inserting is cheapest.
    op.execute("create index notifications_of_user_by_time on notifications (user_id, created_at, notification_id)")
    op.execute("drop index notifications_of_user")
    op.execute(
        "insert into delivery_moves (before, after) values"
        " ('pending', 'bounced'), ('queued', 'bounced'), ('sent', 'bounced'), ('dead', 'bounced')"
    )
