"""The commands of the outbox in Postgres."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from publisher_api.db.pool import Connected
from publisher_api.outbox.store import CLAIM
from shared.envelope import Command

# When a command is published again, after it was published the first and the second time: nobody reports whether a
# command was carried out, and a function may give it up after five hours (docs/decisions/0019).
REPEATS = (timedelta(hours=6), timedelta(days=2))


def add_command(connection: Connected, command_id: str, command: Command, now: datetime) -> None:
    """Add a command to the outbox, in the transaction that requires it."""
    connection.execute(
        "insert into commands (command_id, body, sweep_at) values (%s, %s::jsonb, %s)",
        [command_id, msgspec.json.encode(command).decode(), now],
    )


def claim_commands(connection: Connected, now: datetime, limit: int) -> list[tuple[str, Command]]:
    """Claim up to ``limit`` commands that are due and unclaimed."""
    rows = connection.execute(
        """
        with due as (
            select command_id from commands where sweep_at <= %(now)s order by sweep_at limit %(limit)s
               for update skip locked
        )
        update commands c set sweep_at = %(claimed_until)s from due where c.command_id = due.command_id
        returning c.command_id::text, c.body
        """,
        {"now": now, "limit": limit, "claimed_until": now + CLAIM},
    ).fetchall()
    return [(row["command_id"], msgspec.convert(row["body"], Command)) for row in rows]


def mark_published(connection: Connected, command_ids: Sequence[str], now: datetime) -> None:
    """Keep commands that are published until their next repetition; delete those that had their last."""
    connection.execute(
        """
        with locked as (
            select command_id, published from commands where command_id = any(%(ids)s::uuid[])
             order by command_id for update
        ), done as (
            delete from commands c using locked l where c.command_id = l.command_id and l.published >= %(repeats)s
        )
        update commands c
           set published = l.published + 1, sweep_at = %(now)s + (%(waits)s::interval[])[l.published + 1]
          from locked l where c.command_id = l.command_id and l.published < %(repeats)s
        """,
        {"ids": list(command_ids), "now": now, "waits": list(REPEATS), "repeats": len(REPEATS)},
    )


def remove_commands(connection: Connected, command_ids: Sequence[str]) -> None:
    """Delete commands that can never be published."""
    connection.execute("delete from commands where command_id = any(%s::uuid[])", [list(command_ids)])
