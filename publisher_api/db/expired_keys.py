"""Deletes the keys of producers whose window has passed, a bounded number at a time."""

from datetime import datetime

from publisher_api.db.pool import Connected, Pool, autocommit

STEP = 5000
_DEDUP = """
    delete from dedup_keys where ctid = any(array(
        select ctid from dedup_keys where expires_at <= %(now)s limit %(limit)s for update skip locked))
"""
_IDEMPOTENCY = """
    delete from idempotency_keys where ctid = any(array(
        select ctid from idempotency_keys where expires_at <= %(now)s limit %(limit)s for update skip locked))
"""


def delete_some_expired_keys(pool: Pool, now: datetime) -> bool:
    """Delete up to ``STEP`` expired keys of each kind; returns whether there may be more. Raises ``psycopg.Error``.

    Leaves out the keys that a request is using again.
    """
    with autocommit(pool) as connection:
        return max(_delete(connection, _DEDUP, now), _delete(connection, _IDEMPOTENCY, now)) == STEP


def _delete(connection: Connected, statement: str, now: datetime) -> int:
    return connection.execute(statement, {"now": now, "limit": STEP}).rowcount
