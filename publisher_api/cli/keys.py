"""``python -m publisher_api.cli.keys``: create, list and revoke API keys."""

import argparse
import os
import sys
from uuid import UUID

import psycopg
import uuid_utils
from psycopg.rows import dict_row

from postgres.address import database_address
from publisher_api.api_keys import store
from publisher_api.web.authentication import hash_api_key, new_api_key
from shared.errors import ConfigurationError


def main() -> None:
    arguments = _parser().parse_args()
    try:
        address = database_address(os.environ)
    except ConfigurationError as error:
        sys.exit(str(error))
    with psycopg.connect(address, row_factory=dict_row) as connection:
        match arguments.command:
            case "create":
                key = new_api_key()
                store.add_api_key(connection, str(uuid_utils.uuid7()), hash_api_key(key), arguments.producer)
                print(key)
            case "revoke":
                if not store.revoke_api_key(connection, arguments.key_id):
                    sys.exit(f"Active key {arguments.key_id} not found. `list` shows all keys.")
            case _:
                for stored in store.list_api_keys(connection):
                    state = f"revoked {stored.revoked_at:%F %T}" if stored.revoked_at else "active"
                    print(stored.key_id, stored.producer, f"{stored.created_at:%F %T}", state)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m publisher_api.cli.keys", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="create a key and print it, once")
    create.add_argument("--producer", required=True, help="the backend service that will send with it")
    commands.add_parser("list", help="list the keys' ids, producers and times; never a key")
    revoke = commands.add_parser("revoke", help="revoke a key, on every instance at once")
    revoke.add_argument("key_id", type=UUID)
    return parser


if __name__ == "__main__":
    main()
