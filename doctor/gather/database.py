"""Reads the schema revision and the clock of Postgres."""

from dataclasses import replace
from datetime import UTC, datetime

import psycopg

from doctor.facts import Clock, Database, Unreachable, clock_of
from publisher_api.db.schema import known_revisions, revision_of

_CONNECT_TIMEOUT_SECONDS = 5


def read_database(url: str) -> tuple[Database | Unreachable, Clock | None]:
    """Read Alembic's table and the time. ``Unreachable`` has libpq's message, which never contains the password."""
    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_TIMEOUT_SECONDS, autocommit=True) as connection:
            requested = datetime.now(UTC)
            row = connection.execute("select clock_timestamp()").fetchone()
            clock = clock_of(row[0], requested, datetime.now(UTC)) if row else None
            revision = revision_of(connection)
            mode = connection.info.get_parameters().get("sslmode")
            is_checked = mode == "verify-full" or not connection.pgconn.ssl_in_use
    except psycopg.Error as error:
        return Unreachable(" ".join(str(error).split())), None
    return replace(compare_revision(revision), certificate_checked=is_checked), clock


def compare_revision(revision: str | None) -> Database:
    """Compare ``revision`` with the migrations in this code."""
    history = known_revisions()
    if revision is None:
        return Database(None, history[0], len(history))
    return Database(revision, history[0], history.index(revision) if revision in history else None)
