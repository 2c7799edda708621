"""Checks that Postgres can be reached and has the newest schema."""

from collections.abc import Iterator

from doctor.facts import Database, Unreachable
from doctor.finding import Finding, failed, ok, skipped
from doctor.remedies import Fault, Remedies


def check_database(found: Database | Unreachable, remedies: Remedies) -> Iterator[Finding]:
    if isinstance(found, Unreachable):
        yield failed(f"Postgres cannot be reached: {found.reason}", remedies[Fault.POSTGRES_UNREACHABLE])
        yield skipped("schema of Postgres: unknown while Postgres cannot be reached")
        return
    yield ok("Postgres responds")
    if not found.certificate_checked:
        yield failed("Postgres's certificate is not checked: set DATABASE_CA_CERT", remedies[Fault.SETTINGS_WRONG])
    match found:
        case Database(revision=None):
            yield failed("Postgres has no tables of Heliograph: it was never migrated", remedies[Fault.SCHEMA_BEHIND])
        case Database(behind=0):
            yield ok(f"Postgres is at the newest revision, {found.newest}")
        case Database(behind=None):
            yield failed(
                f"Postgres is at revision {found.revision}, which this code does not contain (its newest is"
                f" {found.newest}): your checkout is older than the code that was deployed",
                remedies[Fault.CODE_BEHIND],
            )
        case _:
            yield failed(
                f"Postgres is at revision {found.revision}, {found.behind} behind the newest, {found.newest}",
                remedies[Fault.SCHEMA_BEHIND],
            )
