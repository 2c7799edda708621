"""Cancels deliveries in Postgres."""

from typing import NamedTuple
from uuid import UUID

from postgres.pool import Connected, fetch_one
from shared.reasons import Reason


class Canceled(NamedTuple):
    """How many deliveries a notification has, how many of them are canceled, and for how many it is too late."""

    deliveries: int
    stopped: int
    gone: int


def cancel(connection: Connected, notification_id: UUID) -> Canceled:
    """Cancel the deliveries of a notification that wait for their time.

    Each claim moves ``sweep_at``, also that of the relay, which comes with the row. What is claimed counts as gone: it
    is marked as queued only after it was published, so its message may be on its way. The times are compared with each
    other and not with a clock, because the clocks of the publishers differ.
    """
    row = fetch_one(
        connection.execute(
            """
            with locked as (
                -- After it has waited for a row, this returns the row's newest version, which no one can change now.
                select delivery_id, round, status,
                       status = 'pending' and sweep_at = greatest(due_at, deferred_until) as stops
                  from deliveries where notification_id = %(notification_id)s
                 order by delivery_id for no key update
            ), stopped as (
                update deliveries d set status = 'canceled', reason = %(reason)s, updated_at = now()
                  from locked where d.delivery_id = locked.delivery_id and locked.stops
            ), recorded as (
                insert into delivery_events (delivery_id, round, result, at, reason)
                select delivery_id, round, 'canceled', now(), %(reason)s from locked where stops
            )
            select count(*) as deliveries,
                   count(*) filter (where stops or status = 'canceled') as stopped,
                   count(*) filter (where not stops and status in ('pending', 'queued', 'sent', 'delivered', 'bounced'))
                       as gone
              from locked
            """,
            {"notification_id": notification_id, "reason": Reason.CANCELED.value},
        )
    )
    return Canceled(**row)
