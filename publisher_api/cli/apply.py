"""``python -m publisher_api.cli.apply DIR``: creates and changes what files declare.

Files declare channels, templates, event types and limits. Prints what differs first. Nothing is stored if a file has a
fault. The same files again change nothing, and what is stored but not in the files stays.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg
import uuid_utils

from postgres.address import database_address
from postgres.pool import make_pool
from publisher_api.channels.service import Channels
from publisher_api.connections import now
from publisher_api.db.config_cache import ConfigCache
from publisher_api.declarations import files
from publisher_api.declarations.applying import Applying
from publisher_api.declarations.differences import Difference
from publisher_api.principal import command
from publisher_api.refusal import Refusal
from shared.errors import ConfigurationError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m publisher_api.cli.apply", description=__doc__)
    parser.add_argument(
        "folder", metavar="DIR", type=Path, help="has channels/, templates/, event-types/ and limits/, with NAME.toml"
    )
    parser.add_argument("--dry-run", action="store_true", help="print what differs, and store nothing")
    arguments = parser.parse_args()
    try:
        address = database_address(os.environ)
        declared = files.read(arguments.folder)
        with make_pool(address, 2) as pool:
            cache = ConfigCache(pool)
            # The publisher's sweep sends the channels' switches to the functions within a second.
            channels = Channels(pool, cache, now, lambda: str(uuid_utils.uuid7()), lambda: None)
            applying = Applying(pool, cache, channels, command("apply"))
            differences = applying.differences(declared)
            _print(differences)
            if arguments.dry_run:
                print("Nothing was stored, because of --dry-run.")
            else:
                applying.apply(declared, {each.place for each in differences if each.changes})
    except ConfigurationError as error:
        sys.exit(str(error))
    except Refusal as refusal:  # something else changed meanwhile
        sys.exit(f"{refusal.detail} What is printed above may be stored in part. Run the command again.")
    except files.BadDeclarations as bad:
        sys.exit("\n".join([*bad.faults, "Nothing was stored."]))
    except psycopg.OperationalError as error:
        sys.exit(f"Postgres cannot be reached: {error}")


def _print(differences: Sequence[Difference]) -> None:
    changed = [each for each in differences if each.changes]
    for difference in changed:
        print("\n".join(difference.lines()))
    created = sum(each.before is None for each in changed)
    print(f"{created} to create, {len(changed) - created} to change, {len(differences) - len(changed)} as they are.")


if __name__ == "__main__":
    main()
