"""The connections to Postgres."""

from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

Connected = Connection[DictRow]
Pool = ConnectionPool[Connected]

# A statement that takes longer than this is stuck, and whoever waits for it should hear so. A pooler takes no options.
_DIRECT: dict[str, Any] = {"options": "-c statement_timeout=10s -c lock_timeout=5s", "tcp_user_timeout": 10_000}
_POOLED: dict[str, Any] = {"prepare_threshold": None}
# A request waits this long for a connection before it is told to come back: longer, and callers pile up.
_WAIT_SECONDS = 3.0


def one(cursor: Cursor[DictRow]) -> DictRow:
    """The row of a statement that always returns one."""
    row = cursor.fetchone()
    if row is None:
        raise RuntimeError("a statement that always returns a row returned none")
    return row


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
        check=ConnectionPool.check_connection,  # after a restart of Postgres nobody gets a dead connection
        kwargs={"row_factory": dict_row, "connect_timeout": 3, **(_POOLED if behind_pooler else _DIRECT)},
    )
