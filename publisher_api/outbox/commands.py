"""Commands for the inapp function: added to the outbox in the transaction that requires them."""

from datetime import datetime

from postgres.pool import Connected
from publisher_api.outbox import command_store
from shared.envelope import Command


def add_command(connection: Connected, command_id: str, command: Command, now: datetime) -> None:
    """Add ``command`` to the outbox. It is published when the transaction has committed, and twice again."""
    command_store.add_command(connection, command_id, command, now)


def has_command(connection: Connected, user_id: str, erasure_id: str) -> bool:
    """Whether a command of this erasure is still published, now or later."""
    return command_store.has_command(connection, user_id, erasure_id)


def remove_commands_of(connection: Connected, user_id: str, until: datetime) -> int:
    """Delete the commands about a user that were made by ``until``, and those that erase; returns how many."""
    return command_store.remove_commands_of(connection, user_id, until)
