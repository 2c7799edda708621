"""The revisions of the database's schema: which ones this release has, and which one a database is at."""

from pathlib import Path

import psycopg
from alembic.config import Config
from alembic.script import ScriptDirectory

ALEMBIC = Config(Path(__file__).parent / "migrations" / "alembic.ini")


def known_revisions() -> list[str]:
    """The revisions that this release has, the newest first."""
    return [script.revision for script in ScriptDirectory.from_config(ALEMBIC).walk_revisions()]


def revision_of(connection: psycopg.Connection) -> str | None:
    """The revision that the database is at; None before the first migration."""
    found = connection.execute("select to_regclass('alembic_version') is not null").fetchone()
    version = connection.execute("select version_num from alembic_version").fetchone() if found and found[0] else None
    return version[0] if version else None
