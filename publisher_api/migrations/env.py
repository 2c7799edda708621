"""Runs the migrations over psycopg, one at a time even when several instances start together."""

import os

from alembic import context
from sqlalchemy import create_engine, make_url, pool, text

# Any fixed number, as long as every instance uses the same one.
_LOCK = 7_237_401


def migrate() -> None:
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        context.configure(connection=connection, transaction_per_migration=False)
        context.run_migrations()


migrate()
