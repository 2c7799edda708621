"""Commands for the inapp function: added to the outbox in the transaction that requires them."""

from datetime import datetime

from postgres.pool import Connected
from publisher_api.outbox import command_store
from shared.envelope import Command


def add_command(connection: Connected, command_id: str, command: Command, now: datetime) -> None:
    """Add ``command`` to the outbox. It is published when the transaction has committed, and twice again."""
    command_store.add_command(connection, command_id, command, now)
