"""The commands of the outbox in Postgres."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from postgres.pool import Connected, fetch_one
from publisher_api.outbox.store import CLAIM
from shared.envelope import Command

# When a command is published again, after it was published the first and the second time: no function
# reports whether it carried a command out, and it may give the command up after five hours (docs/decisions/0019).
REPEATS = (timedelta(hours=6), timedelta(days=2))
_OF_USER = """
    select body from commands where body ->> 'user_id' = %(user_id)s
     union all
    select body from command_repeats where body ->> 'user_id' = %(user_id)s
"""


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
    """Remove commands that are published from the outbox. Keep those that are published again until then."""
    connection.execute(
        """
        with published as (
            delete from commands where command_id = any(%(ids)s::uuid[]) returning command_id, body, published
        )
        insert into command_repeats (command_id, body, published, due_at)
        select command_id, body, published + 1, %(now)s + (%(waits)s::interval[])[published + 1]
          from published where published < %(repeats)s
            on conflict (command_id) do nothing
        """,
        {"ids": list(command_ids), "now": now, "waits": list(REPEATS), "repeats": len(REPEATS)},
    )


def return_due_commands(connection: Connected, now: datetime, limit: int) -> None:
    """Put up to ``limit`` commands whose repetition is due into the outbox again."""
    connection.execute(
        """
        with due as (
            select command_id from command_repeats where due_at <= %(now)s order by due_at limit %(limit)s
               for update skip locked
        ), returned as (
            delete from command_repeats r using due where r.command_id = due.command_id returning r.*
        )
        insert into commands (command_id, body, published, sweep_at)
        select command_id, body, published, %(now)s from returned
        """,
        {"now": now, "limit": limit},
    )


def remove_commands(connection: Connected, command_ids: Sequence[str]) -> None:
    """Delete commands that can never be published."""
    connection.execute("delete from commands where command_id = any(%s::uuid[])", [list(command_ids)])


def has_commands(connection: Connected, user_id: str) -> bool:
    """Whether a command about the user is in the outbox, or is published again later."""
    cursor = connection.execute(f"select exists ({_OF_USER}) as found", {"user_id": user_id})
    return bool(fetch_one(cursor)["found"])


def has_erase_command(connection: Connected, command: Command) -> bool:
    """Whether a command of the same erasure, until the same time, is in the outbox, or is published again later."""
    cursor = connection.execute(
        f"""
        select exists (select from ({_OF_USER}) as c where body ->> 'erasure_id' = %(erasure_id)s
                          and (body ->> 'at')::timestamptz = %(at)s) as found
        """,
        {"user_id": command.user_id, "erasure_id": command.erasure_id, "at": command.at},
    )
    return bool(fetch_one(cursor)["found"])


def remove_commands_of(connection: Connected, user_id: str, until: datetime) -> int:
    """Delete the commands about a user that were made by ``until``, and those that erase; returns how many."""
    which = """
        body ->> 'user_id' = %(user_id)s
        and (body ->> 'command' = 'erase' or (body ->> 'at')::timestamptz <= %(until)s)
    """
    return sum(
        connection.execute(f"delete from {table} where {which}", {"user_id": user_id, "until": until}).rowcount
        for table in ("commands", "command_repeats")
    )
