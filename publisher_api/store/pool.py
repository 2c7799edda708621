"""The connections to Postgres."""

import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

Connected = Connection[DictRow]
Pool = ConnectionPool[Connected]

# A statement that takes longer than this is stuck, and whoever waits for it should hear so. And a plan that is kept was
# made when the tables were small: it reads them from end to end until the next ANALYZE. A pooler takes no options.
_OPTIONS = "-c statement_timeout=10s -c lock_timeout=5s -c plan_cache_mode=force_custom_plan"
_DIRECT: dict[str, Any] = {"options": _OPTIONS, "tcp_user_timeout": 10_000}
_POOLED: dict[str, Any] = {"prepare_threshold": None}
# A request waits this long for a connection before it is told to come back: longer, and callers pile up.
_WAIT_SECONDS = 3.0


def one(cursor: Cursor[DictRow]) -> DictRow:
    """The row of a statement that always returns one."""
    row = cursor.fetchone()
    if row is None:
        raise RuntimeError("a statement that always returns a row returned none")
    return row


@contextmanager
def statements(pool: Pool) -> Iterator[Connected]:
    """A connection on which each statement is a transaction of its own, unless one is begun.

    That saves the trips for BEGIN and COMMIT; after each, under load, this thread waits for the event loop to hand it
    the interpreter back, which takes longer than the trip.
    """
    with pool.connection() as connection:
        connection.autocommit = True
        try:
            yield connection
        finally:
            with suppress(psycopg.Error):  # it is lost, and the pool sees that itself
                connection.autocommit = False


def _check(connection: Connected) -> None:
    """Ask a connection whether it still works, when there is reason to doubt it.

    So nobody gets a dead one after a restart of Postgres. Nothing is sent to an idle connection except that it ends, so
    one with nothing to read is sound, and that is known without a trip.
    """
    idle = select.poll()
    idle.register(connection.fileno(), select.POLLIN)
    if idle.poll(0):
        ConnectionPool.check_connection(connection)


def make_pool(database_url: str, connections: int, *, behind_pooler: bool = False) -> Pool:
    """A pool that is not open yet. Rows are dicts; leaving ``pool.connection()`` commits, or rolls back on an error.

    ``behind_pooler``: the address may be a transaction pooler's, and each transaction gets another server connection.
    A statement prepared on one would be missing on the next, so none is prepared.
    """
    return ConnectionPool(
        database_url,
        min_size=1,
        max_size=connections,
        open=False,
        timeout=_WAIT_SECONDS,
        reconnect_timeout=_WAIT_SECONDS,
        connection_class=Connection[DictRow],
        check=_check,
        kwargs={"row_factory": dict_row, "connect_timeout": 3, **(_POOLED if behind_pooler else _DIRECT)},
    )
