"""Deletes rows whose time has passed, a bounded number at a time.

These are the keys of producers, devices that were not seen for long, buckets that are full, erasures that are complete
and, outside of the google profile, the ledger and the inboxes (Firestore deletes its own documents).
"""

from datetime import datetime, timedelta

from postgres.pool import Connected, Pool, autocommit

STEP = 5000
DEVICES_KEPT_FOR = timedelta(days=270)
"""Since a device was seen. Firebase drops the tokens of Android devices that were inactive for so long."""
ERASURES_KEPT_FOR = timedelta(days=30)
"""Since an erasure was complete."""
_AT_ONCE = timedelta()
_CLOCKS_APART = timedelta(hours=1)  # Postgres sets these times, and the clock here may be ahead of it
_EXPIRING = (
    ("dedup_keys", "expires_at", _AT_ONCE),
    ("idempotency_keys", "expires_at", _AT_ONCE),
    ("devices", "seen_at", DEVICES_KEPT_FOR),
    ("limit_buckets", "full_at", _CLOCKS_APART),
    ("state.ledger", "expire_at", _AT_ONCE),
    ("state.inbox", "expire_at", _AT_ONCE),
    ("state.erased", "expire_at", _AT_ONCE),
    ("erasures", "completed_at", ERASURES_KEPT_FOR),
)


def delete_some_expired_rows(pool: Pool, now: datetime) -> bool:
    """Delete up to ``STEP`` expired rows of each table; returns whether there may be more. Raises ``psycopg.Error``.

    Leaves out the rows that are in use.
    """
    with autocommit(pool) as connection:
        return max(_delete(connection, table, column, now - kept) for table, column, kept in _EXPIRING) == STEP


def _delete(connection: Connected, table: str, column: str, until: datetime) -> int:
    statement = f"""
        delete from {table} where ctid = any(array(
            select ctid from {table} where {column} <= %(until)s limit %(limit)s for update skip locked))
    """  # noqa: S608 - the names are constants of this module
    return connection.execute(statement, {"until": until, "limit": STEP}).rowcount
