"""``python -m publisher_api.cli.migrate``: migrate the database of DATABASE_URL to the newest schema.

Then stores those of the preloaded templates whose names are not taken (``docs/templates.md``). A database that a newer
release has migrated is left as it is, so that a rollback can start this release again.
"""

import os
import sys

import psycopg
from alembic import command

from postgres.address import database_address
from postgres.pool import make_pool
from publisher_api.db.schema import ALEMBIC, known_revisions, revision_of
from publisher_api.templates.preloading import preload
from shared.errors import ConfigurationError


def main() -> None:
    try:
        address = database_address(os.environ)
    except ConfigurationError as error:
        sys.exit(str(error))
    with psycopg.connect(address) as connection:
        revision = revision_of(connection)
    if revision is not None and revision not in known_revisions():
        print(f"The schema has revision {revision}, of a newer release. There is nothing to migrate.")
        return
    command.upgrade(ALEMBIC, "head")
    with make_pool(address, 1) as pool:
        created = preload(pool)
    if created:
        print(f"Preloaded templates: {', '.join(created)}.")


if __name__ == "__main__":
    main()
