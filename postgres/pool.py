"""The pool of connections to Postgres."""

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

Connected = Connection[DictRow]


class PooledConnection(Connection[DictRow]):
    """Knows when it was last used: a time of ``time.monotonic()``."""

    used_at = 0.0


class Pool(ConnectionPool[PooledConnection]):
    """Notes when each connection comes back.

    The library's own hook for that, ``reset``, would pass each connection through another thread.
    """

    def putconn(self, conn: PooledConnection) -> None:
        conn.used_at = time.monotonic()
        super().putconn(conn)


# A statement that takes longer than this is stuck, and its request must be answered. Cached plans are off: one that was
# made while the tables were small scans them whole until the next ANALYZE. A pooler accepts no options.
_OPTIONS = "-c statement_timeout=10s -c lock_timeout=5s -c plan_cache_mode=force_custom_plan"
_DIRECT: dict[str, Any] = {"options": _OPTIONS, "tcp_user_timeout": 10_000}
_POOLED: dict[str, Any] = {"prepare_threshold": None}
# How long a request waits for a connection before it is refused: with longer waits, requests pile up.
_WAIT_SECONDS = 3.0
# So long after it was used, a connection counts as sound.
_SOUND_SECONDS = 0.1


def fetch_one(cursor: Cursor[DictRow]) -> DictRow:
    """The row of a statement that always returns one."""
    row = cursor.fetchone()
    if row is None:
        raise RuntimeError("a statement that always returns a row returned none")
    return row


def address_of(pool: Pool) -> str:
    """The address that the pool connects to, for a connection outside of it."""
    return pool.conninfo if isinstance(pool.conninfo, str) else pool.conninfo()


@contextmanager
def autocommit(pool: Pool) -> Iterator[Connected]:
    """A connection on which each statement is its own transaction, unless one is begun.

    Saves the round trips for BEGIN and COMMIT. After each trip this thread waits until the event loop releases the
    interpreter, which under load takes longer than the trip itself.
    """
    with pool.connection() as connection:
        if connection.autocommit:  # the whole pool is in this mode
            yield connection
            return
        connection.autocommit = True
        try:
            yield connection
        finally:
            with suppress(psycopg.Error):  # the connection is lost; the pool notices by itself
                connection.autocommit = False


def _check(connection: PooledConnection) -> None:
    """Check a connection before it is used, so that a restart of Postgres breaks no request.

    Postgres sends nothing to an idle connection except its end. So a connection with nothing to read is sound, which
    costs no round trip to find out. It costs a turn at the interpreter, so one that was just used is not checked.
    """
    if time.monotonic() - connection.used_at < _SOUND_SECONDS:
        return
    idle = select.poll()
    idle.register(connection.fileno(), select.POLLIN)
    if idle.poll(0):
        ConnectionPool.check_connection(connection)


def make_pool(
    database_url: str,
    connections: int,
    *,
    behind_pooler: bool = False,
    max_waiting: int = 0,
    always_autocommit: bool = False,
) -> Pool:
    """A pool that is not open yet. Rows are dicts; leaving ``pool.connection()`` commits, or rolls back on an error.

    ``max_waiting`` limits how many threads wait for a connection; more get ``TooManyRequests`` at once. 0: no limit.

    ``behind_pooler``: the address may be that of a transaction pooler, which gives each transaction another server
    connection. A statement prepared on one is missing on the next, so no statement is prepared.

    ``always_autocommit``: for a pool that is only used by ``autocommit``. Spares changing the mode back and forth.
    """
    return Pool(
        database_url,
        min_size=1,
        max_size=connections,
        open=False,
        timeout=_WAIT_SECONDS,
        max_waiting=max_waiting,
        reconnect_timeout=_WAIT_SECONDS,
        connection_class=PooledConnection,
        check=_check,
        kwargs={
            "row_factory": dict_row,
            "connect_timeout": 3,
            "autocommit": always_autocommit,
            **(_POOLED if behind_pooler else _DIRECT),
        },
    )
