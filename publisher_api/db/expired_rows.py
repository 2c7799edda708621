"""Deletes rows whose time has passed, a bounded number at a time.

These are the keys of producers and, outside of the google profile, the ledger and the inboxes (Firestore deletes its
own documents).
"""

from datetime import datetime

from postgres.pool import Connected, Pool, autocommit

STEP = 5000
_EXPIRING = (
    ("dedup_keys", "expires_at"),
    ("idempotency_keys", "expires_at"),
    ("state.ledger", "expire_at"),
    ("state.inbox", "expire_at"),
)


def delete_some_expired_rows(pool: Pool, now: datetime) -> bool:
    """Delete up to ``STEP`` expired rows of each table; returns whether there may be more. Raises ``psycopg.Error``.

    Leaves out the rows that are in use.
    """
    with autocommit(pool) as connection:
        return max(_delete(connection, table, column, now) for table, column in _EXPIRING) == STEP


def _delete(connection: Connected, table: str, column: str, now: datetime) -> int:
    statement = f"""
        delete from {table} where ctid = any(array(
            select ctid from {table} where {column} <= %(now)s limit %(limit)s for update skip locked))
    """  # noqa: S608 - the names are constants of this module
    return connection.execute(statement, {"now": now, "limit": STEP}).rowcount
