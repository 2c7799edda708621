"""Reads the schema revision and the clock of Postgres."""

from datetime import UTC, datetime
from pathlib import Path

import psycopg
from alembic.config import Config
from alembic.script import ScriptDirectory

import publisher_api
from doctor.facts import Clock, Database, Unreachable, clock_of

_INI = Path(publisher_api.__file__).parent / "db" / "migrations" / "alembic.ini"
_CONNECT_TIMEOUT_SECONDS = 5


def read_database(url: str) -> tuple[Database | Unreachable, Clock | None]:
    """Read Alembic's table and the time. ``Unreachable`` has libpq's message, which never contains the password."""
    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_TIMEOUT_SECONDS, autocommit=True) as connection:
            requested = datetime.now(UTC)
            row = connection.execute("select clock_timestamp(), to_regclass('alembic_version') is not null").fetchone()
            clock = clock_of(row[0], requested, datetime.now(UTC)) if row else None
            migrated = bool(row and row[1])
            version = connection.execute("select version_num from alembic_version").fetchone() if migrated else None
    except psycopg.Error as error:
        return Unreachable(" ".join(str(error).split())), None
    return compare_revision(version[0] if version else None), clock


def compare_revision(revision: str | None) -> Database:
    """Compare ``revision`` with the migrations in this code."""
    scripts = ScriptDirectory.from_config(Config(_INI))
    history = [script.revision for script in scripts.walk_revisions()]
    if revision is None:
        return Database(None, history[0], len(history))
    return Database(revision, history[0], history.index(revision) if revision in history else None)
