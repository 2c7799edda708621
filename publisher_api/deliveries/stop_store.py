"""Stops the deliveries of a user who is erased, a bounded number at a time, and waits for no lock."""

from datetime import datetime

from postgres.pool import Connected
from shared.reasons import Reason

STEP = 200
"""How many deliveries one statement stops: it takes some hundredths of a second."""
WAITS = "d.status = 'pending' and d.sweep_at = greatest(d.due_at, d.deferred_until)"
"""Whether a delivery waits for its time, so that it can be canceled.

Each claim moves ``sweep_at``, also that of the relay, which comes with the row. What is claimed may be on its way: it
is marked as queued only after it was published. The times are compared with each other and not with a clock, because
the clocks of the publishers differ.
"""


def stop_some(connection: Connected, user_id: str, until: datetime, now: datetime, *, limit: int = STEP) -> int:
    """Stop up to ``limit`` deliveries of what was accepted by ``until``; returns how many. Leaves out what is in use.

    Cancels those that wait for their time, and lets the others expire now. What is published is published again at
    once: it has expired, so its function sends nothing more and reports how it ended. The ledger then stops the
    attempts of the first message, too.
    """
    return connection.execute(
        f"""
        with locked as (
            select d.delivery_id, {WAITS} as waits
              from notifications n join deliveries d using (notification_id)
             where n.user_id = %(user_id)s and coalesce(n.accepted_at, n.created_at) <= %(until)s
               and d.status in ('pending', 'queued') and ({WAITS} or d.expires_at > %(now)s)
             order by d.delivery_id limit %(limit)s for no key update of d skip locked
        )
        update deliveries d
           set status = case when l.waits then 'canceled' else d.status end,
               reason = case when l.waits then %(reason)s else d.reason end,
               expires_at = least(d.expires_at, %(now)s),
               sweep_at = case when d.status = 'queued' then %(now)s else d.sweep_at end,
               updated_at = now()
          from locked l
         where d.delivery_id = l.delivery_id
        """,
        {"user_id": user_id, "until": until, "now": now, "limit": limit, "reason": Reason.ERASED.value},
    ).rowcount
