"""The epoch of the transport in Postgres, and the deliveries that are lost with an epoch. Times are the server's."""

from datetime import datetime, timedelta

from postgres.pool import Connected
from publisher_api.outbox.command_store import REPEATS
from publisher_api.outbox.store import OUTCOME_WAITS
from transport.port import Epoch

# How old ``seen_at`` may become. Each sweep sees the epoch, and most of them need not write that.
_SEEN_EVERY = timedelta(seconds=10)
# What was published so shortly before the epoch was last seen may be lost with the process. A server that writes to
# disk each second loses 2 s, and a replica is behind by less than this.
_UNSAFE = timedelta(seconds=30)
# How long after a loss a delivery may still be marked as published: the mark waits for a connection and for locks
# (``postgres.pool``), and its message may have been lost.
MARKED_WITHIN = timedelta(seconds=15)


def remember(connection: Connected, epoch: Epoch) -> bool:
    """Remember ``epoch``; returns whether another one was known."""
    row = connection.execute(
        "select data, process, seen_at < now() - %s as old from transport_epoch", [_SEEN_EVERY]
    ).fetchone()
    same = row is not None and (row["data"], row["process"]) == epoch
    if row is None or row["old"] or not same:
        _store(connection, epoch)
    return row is not None and not same


def _store(connection: Connected, epoch: Epoch) -> None:
    """Store ``epoch``, and since when messages may be lost if it is another.

    The first epoch, too, makes everything due: what was queued before was given to another transport.
    """
    connection.execute(
        """
        insert into transport_epoch as known (data, process, seen_at, lost_since, lost_until)
        values (%(data)s, %(process)s, now(), '-infinity', now() + %(marked_within)s)
            on conflict (only_row) do update
           set data = excluded.data, process = excluded.process, seen_at = excluded.seen_at,
               lost_since = case when known.data <> excluded.data then excluded.lost_since
                                 when known.process <> excluded.process
                                 then least(known.lost_since, known.seen_at - %(unsafe)s)
                                 else known.lost_since end,
               lost_until = case when (known.data, known.process) = (excluded.data, excluded.process)
                                 then known.lost_until else excluded.lost_until end
        """,
        {"data": epoch.data, "process": epoch.process, "unsafe": _UNSAFE, "marked_within": MARKED_WITHIN},
    )


def make_lost_due(connection: Connected, now: datetime, limit: int) -> bool:
    """Make up to ``limit`` deliveries due whose messages may be lost; returns whether there may be more.

    Waits until each of them is marked. At worst a delivery is published twice, which the ledger absorbs. One that was
    published again as often as we try is left out: when it is due, it is closed.
    """
    rows = connection.execute(
        """
        with epoch as (
            select lost_since, lost_until from transport_epoch where lost_until <= now()
        ), lost as (
            select delivery_id from deliveries, epoch
             where status = 'queued' and unreported < %(last)s and sweep_at > %(now)s
               and updated_at >= lost_since and updated_at < lost_until
             order by sweep_at limit %(limit)s
               for no key update of deliveries skip locked
        ), due as (
            update deliveries d set sweep_at = %(now)s, updated_at = now()
              from lost where d.delivery_id = lost.delivery_id
            returning d.delivery_id
        )
        select (select count(*) from due) as due from epoch
        """,
        {"now": now, "limit": limit, "last": len(OUTCOME_WAITS) - 1},
    ).fetchall()
    if not rows:
        return False
    if rows[0]["due"] == limit:
        return True
    _end_loss(connection, now)
    return False


def _end_loss(connection: Connected, now: datetime) -> None:
    """Nothing more is lost, except the commands: publish those again that were published once."""
    connection.execute(
        """
        with epoch as (
            select lost_since from transport_epoch where lost_until <= now()
        ), repeated as (
            update command_repeats set due_at = %(now)s from epoch
             where published = 1 and due_at > %(now)s and due_at >= lost_since + %(wait)s
        )
        update transport_epoch set lost_since = null, lost_until = null where lost_until <= now()
        """,
        {"now": now, "wait": REPEATS[0]},
    )
