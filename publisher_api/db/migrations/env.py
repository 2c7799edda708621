"""Runs the migrations over psycopg, one at a time even when several instances start together."""

import os

import psycopg
from alembic import context
from sqlalchemy import create_engine, pool, text

from postgres.address import database_address

# Any fixed number, as long as every instance uses the same.
_LOCK = 7_237_401


def _migrate() -> None:
    # psycopg connects, so DATABASE_URL may be anything that libpq accepts: a URL or key=value pairs.
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(database_address(os.environ)),
        poolclass=pool.NullPool,
    )
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        context.configure(connection=connection)
        context.run_migrations()


_migrate()
