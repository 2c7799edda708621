"""Postgres: the revision of its schema, and its clock."""

from datetime import UTC, datetime
from pathlib import Path

import psycopg
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

import publisher_api
from doctor.facts import Clock, Database, Unreachable, clock_of

_INI = Path(publisher_api.__file__).parent / "migrations" / "alembic.ini"
_CONNECT_TIMEOUT_SECONDS = 5


def ask_database(url: str) -> tuple[Database | Unreachable, Clock | None]:
    """Reads alembic's table, and the time. ``Unreachable`` gives libpq's words, which never hold the password."""
    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_TIMEOUT_SECONDS, autocommit=True) as connection:
            asked = datetime.now(UTC)
            row = connection.execute("select clock_timestamp(), to_regclass('alembic_version') is not null").fetchone()
            clock = clock_of(row[0], asked, datetime.now(UTC)) if row else None
            migrated = bool(row and row[1])
            version = connection.execute("select version_num from alembic_version").fetchone() if migrated else None
    except psycopg.Error as error:
        return Unreachable(" ".join(str(error).split())), None
    return compared(version[0] if version else None), clock


def compared(revision: str | None) -> Database:
    """``revision`` beside the migrations of this code."""
    scripts = ScriptDirectory.from_config(Config(_INI))
    newest = scripts.get_current_head() or ""
    try:
        behind = len(list(scripts.iterate_revisions(newest, revision or "base")))
    except CommandError:
        return Database(revision, newest, None)
    return Database(revision, newest, behind)
