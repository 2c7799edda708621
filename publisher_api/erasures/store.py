"""Erasures in Postgres: their rows, and what they delete at once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from postgres.pool import Connected, fetch_one
from publisher_api.erasures.model import Erasure
from shared.outcomes import Outcome

_COLUMNS = """
    erasure_id, user_id, requested_at, until, settled_at, devices, notifications, deliveries, rows_erased_at,
    inbox_erased_at, completed_at
"""
_HASH = "sha256(convert_to(%(user_id)s, 'UTF8'))"


def hold(connection: Connected, user_id: str) -> None:
    """Let no other transaction begin an erasure of this user until this one ends."""
    connection.execute("select pg_advisory_xact_lock(hashtextextended('erasure ' || %s, 0))", [user_id])


def latest(connection: Connected, user_id: str) -> Erasure | None:
    """The latest erasure of the user that is known."""
    with connection.cursor(row_factory=class_row(Erasure)) as cursor:
        cursor.execute(
            f"select {_COLUMNS} from erasures where user_hash = {_HASH} order by requested_at desc limit 1",
            {"user_id": user_id},
        )
        return cursor.fetchone()


def get(connection: Connected, erasure_id: UUID) -> Erasure | None:
    """The erasure, or None."""
    with connection.cursor(row_factory=class_row(Erasure)) as cursor:
        cursor.execute(f"select {_COLUMNS} from erasures where erasure_id = %s", [erasure_id])
        return cursor.fetchone()


def has_anything(connection: Connected, user_id: str, after: datetime | None) -> bool:
    """Whether a profile or preferences are stored of the user, or notifications that were accepted after ``after``.

    None: any notifications.
    """
    cursor = connection.execute(
        """
        select exists (select from users where user_id = %(user_id)s)
            or exists (select from preferences where user_id = %(user_id)s)
            or exists (select from tenant_preferences where user_id = %(user_id)s)
            or exists (select from notifications where user_id = %(user_id)s
                          and coalesce(accepted_at, created_at) > coalesce(%(after)s, '-infinity'::timestamptz))
            as found
        """,
        {"user_id": user_id, "after": after},
    )
    return bool(fetch_one(cursor)["found"])


def last_accepted_at(connection: Connected, user_id: str) -> datetime | None:
    """When the user's last notification was accepted. Another publisher's clock may be ahead of ours."""
    cursor = connection.execute(
        "select max(coalesce(accepted_at, created_at)) as last from notifications where user_id = %s", [user_id]
    )
    last: datetime | None = fetch_one(cursor)["last"]
    return last


def begin(
    connection: Connected, erasure_id: str, user_id: str, now: datetime, until: datetime, settled_at: datetime
) -> None:
    """Store a new erasure; or let the running one of this user begin again, with another ``until``."""
    connection.execute(
        f"""
        insert into erasures (erasure_id, user_hash, user_id, requested_at, until, settled_at, next_at)
        values (%(erasure_id)s, {_HASH}, %(user_id)s, %(now)s, %(until)s, %(settled_at)s, %(now)s)
        on conflict (user_id) where completed_at is null do update
           set requested_at = excluded.requested_at, until = excluded.until, settled_at = excluded.settled_at,
               next_at = excluded.next_at, rows_erased_at = null, inbox_erased_at = null
        """,
        {"erasure_id": erasure_id, "user_id": user_id, "now": now, "until": until, "settled_at": settled_at},
    )


def delete_profile(connection: Connected, user_id: str) -> None:
    """Delete the user with their addresses, devices and preferences, and count the devices."""
    connection.execute(
        """
        with gone as (
            delete from users where user_id = %(user_id)s
        ), preferred as (
            delete from preferences where user_id = %(user_id)s
        ), within_tenants as (
            delete from tenant_preferences where user_id = %(user_id)s
        ), unlimited as (
            delete from limit_buckets where bucket = 'user:' || %(user_id)s
        )
        update erasures set devices = devices + (select count(*) from devices where user_id = %(user_id)s)
         where user_id = %(user_id)s and completed_at is null
        """,
        {"user_id": user_id},
    )


def claim_due(connection: Connected, now: datetime) -> Erasure | None:
    """The running erasure that is due the longest, held until the transaction ends."""
    with connection.cursor(row_factory=class_row(Erasure)) as cursor:
        cursor.execute(
            f"""
            select {_COLUMNS} from erasures where completed_at is null and next_at <= %s
             order by next_at limit 1 for update skip locked
            """,
            [now],
        )
        return cursor.fetchone()


def count_removed(connection: Connected, erasure_id: UUID, notifications: int, deliveries: int) -> None:
    """Add to what the erasure has deleted."""
    connection.execute(
        "update erasures set notifications = notifications + %s, deliveries = deliveries + %s where erasure_id = %s",
        [notifications, deliveries, erasure_id],
    )


def wait_until(connection: Connected, erasure_id: UUID, at: datetime) -> None:
    """Go on with the erasure at ``at``."""
    connection.execute("update erasures set next_at = %s where erasure_id = %s", [at, erasure_id])


def rows_are_erased(connection: Connected, erasure_id: UUID, now: datetime) -> None:
    """Note that no rows are left."""
    connection.execute("update erasures set rows_erased_at = %s where erasure_id = %s", [now, erasure_id])


def inboxes_are_erased(connection: Connected, reports: Sequence[Outcome]) -> None:
    """Note that the live inboxes of these erasures are erased, as far as each must be."""
    connection.execute(
        """
        update erasures e set inbox_erased_at = r.at, next_at = r.at
          from unnest(%(ids)s::uuid[], %(untils)s::timestamptz[], %(ats)s::timestamptz[]) as r (erasure_id, until, at)
         where e.erasure_id = r.erasure_id and e.until = r.until
           and e.rows_erased_at is not null and e.inbox_erased_at is null
        """,
        {
            "ids": [report.delivery_id for report in reports],
            "untils": [report.until for report in reports],
            "ats": [report.at for report in reports],
        },
    )


def complete(connection: Connected, erasure_id: UUID, now: datetime) -> None:
    """Note that nothing is left, and forget the user's id."""
    connection.execute("update erasures set completed_at = %s, user_id = null where erasure_id = %s", [now, erasure_id])
