"""The deliveries of the outbox in Postgres: those that are ``pending``, and those whose outcome is missing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from postgres.pool import Connected, fetch_one
from publisher_api.notifications.records import DeliveryRecord, NotificationRecord
from shared.envelope import Delivery
from shared.reasons import Reason

# How long a claimed row stays with the sweep that claimed it, before another sweep may claim it.
CLAIM = timedelta(seconds=30)
# How long to wait for an outcome: after the delivery has expired, and after each time it was published again. When the
# last wait is over, the delivery is closed.
OUTCOME_WAITS = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
# What became due so lately is looked at from both ends. It bounds how many dead entries of the index that reads.
LATEST = timedelta(seconds=30)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
# A sweep claims what is due within seconds. A row that is due for longer than this shows that no sweep runs.
OVERDUE_SWEEP = timedelta(minutes=5)


class ClaimedDelivery(DeliveryRecord, frozen=True, kw_only=True):
    """A delivery to publish. ``unreported`` counts how often it was published again because no outcome arrived."""

    unreported: int = 0

    @property
    def waits_for_address(self) -> bool:
        """Whether its recipient is the user's own and must be looked up again."""
        return self.status == "pending" and self.reason == Reason.ADDRESS_WHEN_DUE

    @property
    def is_overdue(self) -> bool:
        """Whether its outcome has been missing for more than an hour after it expired."""
        return self.status == "queued" and self.unreported > 0

    @property
    def is_lost(self) -> bool:
        """Whether it was published again as often as we try, and still no outcome arrived."""
        return self.status == "queued" and self.unreported >= len(OUTCOME_WAITS) - 1


Claimed = tuple[NotificationRecord, ClaimedDelivery]


class Due(NamedTuple):
    """A delivery that was claimed, and about how many bytes its message has."""

    delivery_id: str
    bytes: int


def claim_due(connection: Connected, now: datetime, limit: int, since: datetime | None = None) -> list[Due]:
    """Claim up to ``limit`` deliveries that are due and unclaimed; returns them in the order in which to publish them.

    The urgent ones come first, in up to four fifths of the places. Then, and among the urgent ones, comes one of each
    producer in turn, the longest overdue first. They are chosen from ``limit`` deliveries of each of these: the urgent
    ones that are overdue the longest, and of the others, those that are overdue the longest and the latest of the last
    seconds. So what is old does not wait for what is new, and a producer with few deliveries not for one with many.

    A ``pending`` delivery is due at its time, or when its deferral is over. A ``queued`` one is due when its outcome is
    overdue, because the message or the outcome was lost. Publishing it again is harmless: it has expired, so its
    function sends nothing and reports the outcome that its ledger knows (docs/decisions/0005, 0017).

    ``since`` leaves out what became due before. The index holds the dead entries of all deliveries that were due, until
    they are vacuumed, which an open transaction prevents. A scan from ``since`` on does not read them.
    """
    rows = connection.execute(
        """
        with candidates as (
            (select delivery_id, notification_id, sweep_at, urgent from deliveries
              where urgent and status in ('pending', 'queued') and sweep_at <= %(now)s and sweep_at > %(since)s
              order by sweep_at limit %(limit)s)
            union
            (select delivery_id, notification_id, sweep_at, urgent from deliveries
              where not urgent and status in ('pending', 'queued') and sweep_at <= %(now)s and sweep_at > %(since)s
              order by sweep_at limit %(limit)s)
            union
            (select delivery_id, notification_id, sweep_at, urgent from deliveries
              where not urgent and status in ('pending', 'queued') and sweep_at <= %(now)s and sweep_at > %(latest)s
              order by sweep_at desc limit %(limit)s)
        ), ranked as (
            select delivery_id, sweep_at, urgent,
                   row_number() over (partition by urgent, producer order by sweep_at) as turn
              from candidates join notifications n using (notification_id)
        ), ordered as (
            select *, row_number() over (order by urgent desc, turn, sweep_at) as place from ranked
        ), due as (
            select d.delivery_id, o.urgent, o.place
              from ordered o join deliveries d using (delivery_id)
             where d.status in ('pending', 'queued') and d.sweep_at <= %(now)s
               and d.sweep_at > %(since)s  -- by this index, too, Postgres may find them
             order by o.urgent and o.place <= %(most_urgent)s desc, o.urgent, o.place limit %(limit)s
               for update of d skip locked
        )
        update deliveries d set sweep_at = %(claimed_until)s
          from due, notifications n
         where d.delivery_id = due.delivery_id and n.notification_id = d.notification_id
        returning d.delivery_id::text, due.place,
                  octet_length(d.content::text) + octet_length(n.payload::text) as bytes
        """,
        {
            "now": now,
            "since": since or _EVER,
            "latest": max(since or _EVER, now - LATEST),
            "limit": limit,
            "most_urgent": limit * 4 // 5,
            "claimed_until": now + CLAIM,
        },
    ).fetchall()
    rows.sort(key=lambda row: row["place"])
    return [Due(row["delivery_id"], row["bytes"] or 0) for row in rows]


def load_claimed(connection: Connected, delivery_ids: Sequence[str]) -> list[Claimed]:
    """Those of the deliveries that are still to be published, with their notifications, in the same order."""
    rows = connection.execute(
        """
        select d.delivery_id::text as id, to_json(n)::text as notification, to_json(d)::text as delivery
          from deliveries d join notifications n using (notification_id)
         where d.delivery_id = any(%s::uuid[]) and d.status in ('pending', 'queued')
        """,
        [list(delivery_ids)],
    ).fetchall()
    found = {row["id"]: row for row in rows}
    ordered = [found[each] for each in delivery_ids if each in found]
    return [(_notification.decode(row["notification"]), _delivery.decode(row["delivery"])) for row in ordered]


_notification = msgspec.json.Decoder(NotificationRecord)
_delivery = msgspec.json.Decoder(ClaimedDelivery)


def sweep_is_overdue(connection: Connected, now: datetime) -> bool:
    """Whether a delivery is due for so long that no sweep can be running, or nothing can be published.

    Also whether outcomes are missing for an hour: then functions do not work, or their outcomes do not arrive. That is
    reported until the delivery is published again six hours later.
    """
    # A claim moves sweep_at forward by at most CLAIM, so the index still finds everything that is due.
    cursor = connection.execute(
        """
        select exists (
            select from deliveries
             where status = 'pending' and sweep_at < %s and greatest(due_at, deferred_until) < %s
        ) or exists (
            select from deliveries where status = 'queued' and unreported = 2
        ) as overdue
        """,
        [now + CLAIM, now - OVERDUE_SWEEP],
    )
    return bool(fetch_one(cursor)["overdue"])


def set_recipients(connection: Connected, deliveries: Sequence[DeliveryRecord]) -> None:
    """Store the recipients of deliveries that are about to be published."""
    connection.execute(
        """
        with resolved as (
            select d.delivery_id, r.recipient
              from unnest(%(ids)s::uuid[], %(recipients)s::text[]) as r (delivery_id, recipient)
              join deliveries d on d.delivery_id = r.delivery_id
             where d.status = 'pending' and d.recipient is distinct from r.recipient
             order by d.delivery_id for no key update of d
        )
        update deliveries d set recipient = r.recipient from resolved r where d.delivery_id = r.delivery_id
        """,
        {
            "ids": [delivery.delivery_id for delivery in deliveries],
            "recipients": [delivery.recipient for delivery in deliveries],
        },
    )


def defer(connection: Connected, deliveries: Sequence[DeliveryRecord], now: datetime) -> None:
    """Let deliveries wait until their ``deferred_until``, with their reason, and record that."""
    connection.execute(
        """
        with waiting as (
            select d.delivery_id, d.round, w.until, w.reason
              from unnest(%(ids)s::uuid[], %(untils)s::timestamptz[], %(reasons)s::text[])
                   as w (delivery_id, until, reason)
              join deliveries d on d.delivery_id = w.delivery_id
             where d.status = 'pending'
             order by d.delivery_id for no key update of d
        ), recorded as (
            insert into delivery_events (delivery_id, round, result, at, until, reason)
            select delivery_id, round, 'deferred', %(now)s, until, reason from waiting
            on conflict (delivery_id, round, result, at) do nothing
        )
        update deliveries d
           set sweep_at = w.until, deferred_until = w.until, reason = w.reason, updated_at = now()
          from waiting w where d.delivery_id = w.delivery_id
        """,
        {
            "ids": [delivery.delivery_id for delivery in deliveries],
            "untils": [delivery.deferred_until for delivery in deliveries],
            "reasons": [delivery.reason for delivery in deliveries],
            "now": now,
        },
    )


def mark_queued(connection: Connected, deliveries: Sequence[Delivery], now: datetime) -> None:
    """Mark deliveries as published.

    Keeps the status of rows whose outcome arrived first; ignores rows that were replayed or deferred since. Locks the
    rows in the order of their ids, as ``deliveries.store.record`` does, because two updates with orders of their own
    can deadlock.
    """
    connection.execute(
        """
        with published as (
            select d.delivery_id
              from unnest(%(ids)s::uuid[], %(rounds)s::int[], %(deferrals)s::int[]) as p (delivery_id, round, deferrals)
              join deliveries d using (delivery_id, round, deferrals)
             order by d.delivery_id for no key update of d
        )
        update deliveries d
           set status = case when d.status = 'pending' then 'queued' else d.status end,
               reason = case when d.status = 'pending' then null else d.reason end,
               queued_at = coalesce(d.queued_at, %(now)s),
               unreported = case when d.status = 'pending' then 0  -- a replay, too, counts from the start
                                 when d.status = 'queued' and d.expires_at <= %(now)s then d.unreported + 1
                                 else d.unreported end,
               sweep_at = case when d.status = 'queued' and d.expires_at <= %(now)s
                               then %(now)s + (%(waits)s::interval[])[least(d.unreported + 2, 4)]
                               else greatest(d.expires_at, %(now)s) + (%(waits)s::interval[])[1] end,
               updated_at = now()
          from published
         where d.delivery_id = published.delivery_id
        """,
        {
            "now": now,
            "waits": list(OUTCOME_WAITS),
            "ids": [delivery.delivery_id for delivery in deliveries],
            "rounds": [delivery.round for delivery in deliveries],
            "deferrals": [delivery.deferrals for delivery in deliveries],
        },
    )
