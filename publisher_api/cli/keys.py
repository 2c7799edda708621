"""``python -m publisher_api.cli.keys``: create, list, rotate and revoke API keys. The audit log says so."""

import argparse
import os
import sys
from datetime import timedelta
from uuid import UUID

import psycopg
import uuid_utils
from pydantic import ValidationError

from postgres.address import database_address
from postgres.pool import make_pool
from publisher_api.api_keys.model import KeyFields, KeyView, RotateFields
from publisher_api.api_keys.service import ApiKeys
from publisher_api.connections import now
from publisher_api.fields import MAX_DAYS
from publisher_api.principal import Scope, command
from publisher_api.refusal import Refusal
from publisher_api.validation import refusal_of
from shared.errors import ConfigurationError

_DEFAULT = (Scope.SEND, Scope.READ)
_PAGE = 100


def main() -> None:
    arguments = _parser().parse_args()
    try:
        with make_pool(database_address(os.environ), 1) as pool:
            _run(ApiKeys(pool, now, lambda: str(uuid_utils.uuid7()), lambda: None), arguments)
    except ConfigurationError as error:
        sys.exit(str(error))
    except Refusal as refusal:
        sys.exit(refusal.detail)
    except psycopg.OperationalError as error:
        sys.exit(f"Postgres cannot be reached: {error}")


def _run(keys: ApiKeys, arguments: argparse.Namespace) -> None:
    caller = command("keys")
    match arguments.command:
        case "create":
            print(keys.create(_fields(arguments), caller).key)
        case "rotate":
            print(keys.rotate(arguments.key_id, _overlap(arguments), caller).key)
        case "revoke":
            keys.revoke(arguments.key_id, caller)
        case _:
            _print_all(keys)


def _fields(arguments: argparse.Namespace) -> KeyFields:
    """Raises ``Refusal``."""
    try:
        return KeyFields(
            producer=arguments.producer,
            scopes=arguments.scope or list(_DEFAULT),
            tenant=arguments.tenant,
            expires_at=now() + timedelta(days=arguments.days) if arguments.days else None,
        )
    except ValidationError as error:
        raise refusal_of(error) from None


def _overlap(arguments: argparse.Namespace) -> RotateFields:
    """Raises ``Refusal``."""
    try:
        return RotateFields(overlap_seconds=arguments.overlap_hours * 3600)
    except ValidationError as error:
        raise refusal_of(error) from None


def _days(text: str) -> int:
    """A lifetime. Raises ``argparse.ArgumentTypeError``."""
    if not text.isdecimal() or not 1 <= int(text) <= MAX_DAYS:
        message = f"must be a whole number from 1 to {MAX_DAYS}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _print_all(keys: ApiKeys) -> None:
    page = keys.list(_PAGE, None)
    while True:
        for each in page.api_keys:
            print(_line(each))
        if page.next is None:
            return
        page = keys.list(_PAGE, page.next)


def _line(key: KeyView) -> str:
    scopes = ",".join(key.scopes)
    used = f"used {key.last_used_at:%F %H:%M}" if key.last_used_at else "not used"
    ends_at = min((at for at in (key.expires_at, key.overlap_ends_at) if at), default=None)
    until = f" expires {ends_at:%F %T}" if ends_at else ""
    tenant = f" tenant {key.tenant}" if key.tenant else ""
    return f"{key.key_id} {key.prefix or '-'} {key.producer} {scopes}{tenant} {key.status}{until} {used}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m publisher_api.cli.keys", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="create a key and print it, once")
    create.add_argument("--producer", required=True, help="the backend service that will send with it")
    create.add_argument(
        "--scope",
        action="append",
        choices=[scope.value for scope in Scope],
        help=f"what it may do; repeat the option for more (default: {' '.join(_DEFAULT)})",
    )
    create.add_argument("--tenant", help="all of its notifications belong to this tenant, and it sees only those")
    create.add_argument("--days", type=_days, help="how long it is accepted (default: until it is revoked)")
    commands.add_parser("list", help="list the keys, the newest first; never their secrets")
    rotate = commands.add_parser("rotate", help="create a key in place of another, and print it, once")
    rotate.add_argument("key_id", type=UUID)
    rotate.add_argument(
        "--overlap-hours", type=int, default=24, help="how long the other one stays valid (default: 24)"
    )
    revoke = commands.add_parser("revoke", help="revoke a key, on every instance within a minute")
    revoke.add_argument("key_id", type=UUID)
    return parser


if __name__ == "__main__":
    main()
