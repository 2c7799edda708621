"""The outbox: deliveries that are ``pending`` and commands that exist. What is in it still has to be published."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from publisher_api.store.pool import Connected, one
from publisher_api.store.rows import DeliveryRow, NotificationRow
from shared.envelope import Command, Delivery

# Whoever took a row from the outbox has this long to publish it before the next sweep takes it again.
CLAIM = timedelta(seconds=30)
# An answer that has not come this long after the delivery expired will not come by itself.
OVERDUE = timedelta(minutes=10)
# A sweep takes what is due within seconds. What it has not even taken after this long, it has not seen.
NEGLECTED = timedelta(minutes=5)

_Rows = tuple[NotificationRow, DeliveryRow]


def claim_due(connection: Connected, now: datetime, limit: int) -> list[_Rows]:
    """Take up to ``limit`` deliveries that nobody is publishing, the longest overdue first.

    They are due and ``pending``; or they are ``queued`` and their answer is overdue, because the outcome was lost on
    its way, or the message was. To publish those again is harmless: they have expired, so their function sends nothing;
    it reports what its ledger says became of them. This closes the account of every delivery.
    """
    rows = connection.execute(
        """
        with due as (
            select delivery_id from deliveries
             where status in ('pending', 'queued') and sweep_at <= %(now)s
             order by sweep_at limit %(limit)s
               for update skip locked
        )
        update deliveries d set sweep_at = %(claimed_until)s
          from due, notifications n
         where d.delivery_id = due.delivery_id and n.notification_id = d.notification_id
        returning to_json(n)::text as notification, to_json(d)::text as delivery
        """,
        {"now": now, "limit": limit, "claimed_until": now + CLAIM},
    ).fetchall()
    return [(_notification.decode(row["notification"]), _delivery.decode(row["delivery"])) for row in rows]


_notification = msgspec.json.Decoder(NotificationRow)
_delivery = msgspec.json.Decoder(DeliveryRow)


def is_neglected(connection: Connected, now: datetime) -> bool:
    """Whether something has been due for so long that nobody can be sweeping, or nothing can be published."""
    # A claim moves sweep_at on, but never far: within its reach the index finds all that is due.
    cursor = connection.execute(
        """
        select exists (
            select from deliveries where status = 'pending' and sweep_at < %s and due_at < %s
        ) as neglected
        """,
        [now + CLAIM, now - NEGLECTED],
    )
    return bool(one(cursor)["neglected"])


def mark_queued(connection: Connected, deliveries: Sequence[Delivery], now: datetime) -> None:
    """Pub/Sub has these. One whose outcome was quicker than this mark keeps its status, and one replayed since, all."""
    connection.execute(
        """
        update deliveries d
           set status = case when d.status = 'pending' then 'queued' else d.status end,
               queued_at = coalesce(d.queued_at, %(now)s),
               sweep_at = greatest(d.expires_at, %(now)s) + %(overdue)s,
               updated_at = now()
          from unnest(%(ids)s::uuid[], %(rounds)s::int[]) as published (delivery_id, round)
         where d.delivery_id = published.delivery_id and d.round = published.round
        """,
        {
            "now": now,
            "overdue": OVERDUE,
            "ids": [delivery.delivery_id for delivery in deliveries],
            "rounds": [delivery.round for delivery in deliveries],
        },
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
