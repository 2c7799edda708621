"""Postgres: there, and of the newest schema."""

from collections.abc import Iterator

from doctor.facts import Database, Unreachable
from doctor.finding import Finding, fine, not_examined, wrong
from doctor.mending import Mending


def check_database(found: Database | Unreachable, mending: Mending) -> Iterator[Finding]:
    if isinstance(found, Unreachable):
        yield wrong(f"Postgres does not answer: {found.reason}", mending.reach_postgres())
        yield not_examined("Postgres, migrated: not known while it does not answer")
        return
    yield fine("Postgres answers")
    match found:
        case Database(revision=None):
            yield wrong("Postgres holds no tables of Heliograph: it was never migrated", mending.migrate())
        case Database(behind=0):
            yield fine(f"Postgres is migrated to the newest revision, {found.newest}")
        case Database(behind=None):
            yield wrong(
                f"Postgres is at revision {found.revision}, which this code does not know (its newest: {found.newest}):"
                " you are looking with older code than was deployed",
                "git pull",
            )
        case _:
            yield wrong(
                f"Postgres is at revision {found.revision}, {found.behind} behind the newest, {found.newest}",
                mending.migrate(),
            )
