"""Runs the migrations over psycopg, one instance at a time even when several start together.

Each migration is a transaction of its own, and may build an index outside of one while rows are written.
"""

import os
import time

import psycopg
from alembic import context
from sqlalchemy import Connection, create_engine, pool, text

from postgres.address import database_address

# Any fixed number, as long as every instance uses the same.
_LOCK = 7_237_401
_POLL_SECONDS = 0.2


def _migrate() -> None:
    # psycopg connects, so DATABASE_URL may be anything that libpq accepts: a URL or key=value pairs.
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(database_address(os.environ)),
        poolclass=pool.NullPool,
    )
    with engine.connect() as connection:
        _wait_for_lock(connection)
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()


def _wait_for_lock(connection: Connection) -> None:
    """Lock out other instances until the connection closes.

    A statement that waited for the lock would keep a snapshot, for which an index that is built meanwhile waits.
    """
    while True:
        locked = connection.execute(text("select pg_try_advisory_lock(:lock)"), {"lock": _LOCK}).scalar_one()
        connection.commit()
        if locked:
            return
        time.sleep(_POLL_SECONDS)


_migrate()
