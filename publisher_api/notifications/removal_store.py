"""Deletes notifications whose deliveries have all ended, a bounded number at a time, and waits for no lock."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from postgres.pool import Connected, fetch_one
from shared.inbox import KEPT_FOR

STEP = 200
"""How many notifications one statement deletes: it takes some hundredths of a second."""
_OF_USER = "n.user_id = %(user_id)s and coalesce(n.accepted_at, n.created_at) <= %(until)s"
_CLOCKS_APART = timedelta(hours=1)
_OPEN = "d.status in ('pending', 'queued')"
# When a notification was to be sent: a scheduled one is kept from that time on. The index notifications_by_age has it.
_AGE = "greatest(n.created_at, n.accepted_at, n.deliver_at)"


class Removed(NamedTuple):
    """A notification that was deleted, with so many deliveries. ``in_inbox``: the live inbox may hold its entry."""

    notification_id: str
    user_id: str
    deliveries: int
    in_inbox: bool


def remove_some_of_user(connection: Connected, user_id: str, until: datetime, now: datetime) -> list[Removed]:
    """Delete up to ``STEP`` notifications of a user that were accepted by ``until``."""
    return _remove(connection, _OF_USER, "n.created_at, n.notification_id", now, {"user_id": user_id, "until": until})


def has_notifications(connection: Connected, user_id: str, until: datetime) -> bool:
    """Whether a notification of the user that was accepted by ``until`` is still there."""
    cursor = connection.execute(
        f"select exists (select from notifications n where {_OF_USER}) as found", {"user_id": user_id, "until": until}
    )
    return bool(fetch_one(cursor)["found"])


def remove_some_of_event_type(connection: Connected, event_type: str, before: datetime, now: datetime) -> list[Removed]:
    """Delete up to ``STEP`` notifications of an event type that were to be sent before ``before``."""
    which = f"n.event_type = %(event_type)s and {_AGE} < %(before)s"
    return _remove(connection, which, _AGE, now, {"event_type": event_type, "before": before})


def _remove(
    connection: Connected, which: str, order: str, now: datetime, parameters: Mapping[str, Any]
) -> list[Removed]:
    """Delete the first of those ``which``. Leaves out what another transaction holds.

    Locks the deliveries in the order of their ids, as ``deliveries.store.record`` does, and before they are deleted
    with their notifications, so that neither waits for the other.
    """
    rows = connection.execute(
        f"""
        with candidates as materialized (
            select n.notification_id from notifications n
             where {which}
               and not exists (select from deliveries d where d.notification_id = n.notification_id and {_OPEN})
             order by {order} limit %(limit)s for update of n skip locked
        ), locked as materialized (
            -- A delivery is updated when the outcome arrives, so after its entry was put into the inbox.
            select d.notification_id, d.kind = 'inapp' and d.updated_at > %(in_inbox_since)s as in_inbox
              from candidates join deliveries d using (notification_id)
             where not {_OPEN}  -- it may have been replayed since
             order by d.delivery_id for update of d skip locked
        ), ended as (
            select c.notification_id, count(l.notification_id) as deliveries,
                   coalesce(bool_or(l.in_inbox), false) as in_inbox
              from candidates c left join locked l using (notification_id) group by c.notification_id
        )
        delete from notifications n using ended e
         where n.notification_id = e.notification_id
           and e.deliveries = (select count(*) from deliveries d where d.notification_id = e.notification_id)
        returning n.notification_id::text, n.user_id, e.deliveries, e.in_inbox
        """,
        {**parameters, "limit": STEP, "in_inbox_since": now - KEPT_FOR - _CLOCKS_APART},
    ).fetchall()
    return [Removed(**row) for row in rows]
