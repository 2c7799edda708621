"""``python -m publisher_api.keys``: create, list and revoke API keys."""

import argparse
import os
import sys

import psycopg
import uuid_utils
from psycopg.rows import dict_row

from publisher_api.auth import hash_api_key, new_api_key
from publisher_api.store import configuration
from shared.errors import ConfigurationError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m publisher_api.keys", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="make a key and print it, once")
    create.add_argument("--producer", required=True, help="the backend service that will send with it")
    commands.add_parser("list", help="list the keys' ids, producers and times; never a key")
    revoke = commands.add_parser("revoke", help="stop a key from working, on every instance at once")
    revoke.add_argument("key_id")
    arguments = parser.parse_args()
    if not os.environ.get("DATABASE_URL"):
        sys.exit(str(ConfigurationError.missing(["DATABASE_URL"])))
    with psycopg.connect(os.environ["DATABASE_URL"], row_factory=dict_row) as connection:
        match arguments.command:
            case "create":
                key = new_api_key()
                configuration.add_api_key(connection, str(uuid_utils.uuid7()), hash_api_key(key), arguments.producer)
                print(key)  # noqa: T201 - the one time it is seen
            case "revoke":
                if not configuration.revoke_api_key(connection, arguments.key_id):
                    sys.exit(f"There is no working key {arguments.key_id}; `list` shows all.")
            case _:
                for row in configuration.list_api_keys(connection):
                    state = f"revoked {row['revoked_at']:%F %T}" if row["revoked_at"] else "works"
                    print(row["key_id"], row["producer"], f"{row['created_at']:%F %T}", state)  # noqa: T201 - a listing


if __name__ == "__main__":
    main()
