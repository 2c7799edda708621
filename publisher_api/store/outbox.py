"""The outbox: deliveries that are ``pending`` and commands that exist. What is in it still has to be published."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from publisher_api.store.pool import Connected
from publisher_api.store.rows import DeliveryRow, NotificationRow
from shared.envelope import Command

# Whoever took a row from the outbox has this long to publish it before the next sweep takes it again.
CLAIM = timedelta(seconds=30)
# An answer that has not come this long after the delivery expired will not come by itself.
OVERDUE = timedelta(minutes=10)
# A sweep takes what is due within seconds. What it has not even taken after this long, it has not seen.
NEGLECTED = timedelta(minutes=5)

_Rows = tuple[NotificationRow, DeliveryRow]


def claim_due(connection: Connected, now: datetime, limit: int) -> list[_Rows]:
    """Take up to ``limit`` deliveries that are due and that nobody is publishing, the most urgent first."""
    return _claimed(
        connection,
        """
        with due as (
            select delivery_id from deliveries
             where status = 'pending' and sweep_at <= %(now)s
             order by sweep_at limit %(limit)s
               for update skip locked
        )
        update deliveries d set sweep_at = %(claimed_until)s
          from due, notifications n
         where d.delivery_id = due.delivery_id and n.notification_id = d.notification_id
        returning to_json(n)::text as notification, to_json(d)::text as delivery
        """,
        {"now": now, "limit": limit, "claimed_until": now + CLAIM},
    )


def is_neglected(connection: Connected, now: datetime) -> bool:
    """Whether work has been due for so long that no sweep can have run."""
    row = connection.execute(
        "select exists (select from deliveries where status = 'pending' and sweep_at < %s) as neglected",
        (now - NEGLECTED,),
    ).fetchone()
    return bool(row and row["neglected"])


def claim_unanswered(connection: Connected, now: datetime, limit: int) -> list[_Rows]:
    """Take deliveries whose answer is overdue: the outcome was lost on its way, or the message was.

    To publish them again is harmless. They have expired, so their function sends nothing; it reports what its ledger
    says became of them. This closes the account of every delivery.
    """
    return _claimed(
        connection,
        """
        with overdue as (
            select delivery_id from deliveries
             where status = 'queued' and expires_at < %(before)s and queued_at < %(before)s
             order by expires_at limit %(limit)s
               for update skip locked
        )
        update deliveries d set queued_at = %(now)s
          from overdue, notifications n
         where d.delivery_id = overdue.delivery_id and n.notification_id = d.notification_id
        returning to_json(n)::text as notification, to_json(d)::text as delivery
        """,
        {"now": now, "limit": limit, "before": now - OVERDUE},
    )


def _claimed(connection: Connected, statement: str, parameters: dict[str, Any]) -> list[_Rows]:
    return [
        (_notification.decode(row["notification"]), _delivery.decode(row["delivery"]))
        for row in connection.execute(statement, parameters).fetchall()
    ]


_notification = msgspec.json.Decoder(NotificationRow)
_delivery = msgspec.json.Decoder(DeliveryRow)


def mark_queued(connection: Connected, delivery_ids: Sequence[str], now: datetime) -> None:
    """Pub/Sub has these. Those whose outcome was quicker than this mark stay as they are, but for the time."""
    connection.execute(
        """
        update deliveries
           set status = case when status = 'pending' then 'queued' else status end, queued_at = %s, updated_at = now()
         where delivery_id = any(%s::uuid[])
        """,
        [now, list(delivery_ids)],
    )


def add_command(connection: Connected, command_id: str, command: Command, now: datetime) -> None:
    """Leave a command in the outbox, in the transaction that made it necessary."""
    connection.execute(
        "insert into commands (command_id, body, sweep_at) values (%s, %s::jsonb, %s)",
        [command_id, msgspec.json.encode(command).decode(), now],
    )


def claim_commands(connection: Connected, now: datetime, limit: int) -> list[tuple[str, Command]]:
    """Take up to ``limit`` commands that nobody is publishing."""
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


def remove_commands(connection: Connected, command_ids: Sequence[str]) -> None:
    """Pub/Sub has these."""
    connection.execute("delete from commands where command_id = any(%s::uuid[])", [list(command_ids)])
