"""Commands for the inapp function: added to the outbox in the transaction that requires them."""

from datetime import datetime

from postgres.pool import Connected
from publisher_api.outbox import command_store
from shared.envelope import Command


def add_command(connection: Connected, command_id: str, command: Command, now: datetime) -> None:
    """Add ``command`` to the outbox. It is published when the transaction has committed, and twice again."""
    command_store.add_command(connection, command_id, command, now)


def has_commands(connection: Connected, user_id: str) -> bool:
    """Whether a command about the user is still published, now or later."""
    return command_store.has_commands(connection, user_id)


def has_erase_command(connection: Connected, command: Command) -> bool:
    """Whether a command of the same erasure, until the same time, is still published, now or later."""
    return command_store.has_erase_command(connection, command)


def remove_commands_of(connection: Connected, user_id: str, until: datetime) -> int:
    """Delete the commands about a user that were made by ``until``, and those that erase; returns how many."""
    return command_store.remove_commands_of(connection, user_id, until)
