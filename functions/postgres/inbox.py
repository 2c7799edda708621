"""The inboxes in Postgres: one row per notification in ``state.inbox``."""

import dataclasses
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import msgspec

from functions.postgres.calls import connected
from functions.runtime.inbox import TOMBSTONE_KEPT_FOR, InboxEntry, tombstone_of
from postgres.pool import Connected, Pool, fetch_one
from shared.gathering import Gatherer
from shared.inbox import KEPT_FOR
from shared.reasons import Reason

_FIELDS = tuple(field.name for field in dataclasses.fields(InboxEntry))

# A statement raises the version of each inbox that it changes, and locks its row in state.inbox_heads by that until it
# commits. So one statement after the other changes the inbox of a user, and its versions become visible in order. Rows
# are locked in the order of their keys, and heads before entries: no two statements wait for each other.
# The first version of a head is the time in milliseconds: it is higher than all versions of a head that was deleted.
# Publishers listen on the channel "inbox", for the users whose clients listen to them.
_FIRST = "(extract(epoch from now()) * 1000)::bigint"
_PUT = f"""
    with given as (
        select * from json_populate_recordset(null::state.inbox, %s::json)
    ), heads as (
        insert into state.inbox_heads as h (user_id, version, first_version)
        select user_id, {_FIRST}, {_FIRST} from given group by user_id order by user_id
        on conflict (user_id) do update set version = h.version + 1
        returning h.user_id, h.version
    ), put as (
        insert into state.inbox (user_id, expire_at, version, {", ".join(_FIELDS)})
        select user_id, expire_at, heads.version, {", ".join(_FIELDS)} from given join heads using (user_id)
         order by user_id, notification_id
        on conflict (user_id, notification_id) do nothing
        returning user_id
    )
    select pg_notify('inbox', user_id) from (select distinct user_id from put) as changed
"""
_HEAD = f"""
    head as (
        insert into state.inbox_heads as h (user_id, version, first_version) values (%(user_id)s, {_FIRST}, {_FIRST})
        on conflict (user_id) do update set version = h.version + 1
        returning h.version
    )
"""
_NOTIFY = "(select count(pg_notify('inbox', user_id)) from (select distinct user_id from marked) as changed)"
_NAMED = "notification_id = any(%(ids)s)"
_UNREAD = "read_at is null and delivered_at <= %(at)s"
# By the index of unread entries. What is read or archived counts as seen, although releases before 0008 left it unset.
_UNSEEN = f"seen_at is null and archived_at is null and {_UNREAD}"


def _mark(column: str, which: str) -> str:
    """The statement that sets ``column`` of the entries ``which``. Its row says how many of these there are."""
    return f"""
        with {_HEAD}, found as (
            select notification_id, {column} as marked_at, seen_at from state.inbox
             where user_id = %(user_id)s and {which} and (select version from head) > 0  -- the head is locked first
             order by notification_id for no key update
        ), marked as (
            update state.inbox i
               set {column} = %(at)s, {"" if column == "seen_at" else "seen_at = coalesce(f.seen_at, %(at)s),"}
                   version = head.version
              from found f, head
             where i.user_id = %(user_id)s and i.notification_id = f.notification_id and f.marked_at is null
            returning i.user_id
        )
        select (select count(*) from found) as found, {_NOTIFY} as notified
    """


_MARK_READ = _mark("read_at", _NAMED)
_MARK_ARCHIVED = _mark("archived_at", _NAMED)
_MARK_ALL_READ = _mark("read_at", _UNREAD)
_MARK_SEEN = _mark("seen_at", _UNSEEN)


# Clients that listen get a snapshot of what is left, because the first version rises with the version.
_DELETE = f"""
    with head as (
        update state.inbox_heads h set version = version + 1, first_version = version + 1
         where user_id = %(user_id)s
           and exists (select from state.inbox i where i.user_id = h.user_id and {_NAMED})
        returning user_id
    ), deleted as (
        delete from state.inbox
         where user_id = %(user_id)s and {_NAMED} and (select count(*) from head) >= 0  -- the head is locked first
        returning user_id
    )
    select pg_notify('inbox', user_id) from (select distinct user_id from deleted) as changed
"""
# The head is locked before the entries, and deleted: clients that listen then get a snapshot of what is left.
_ERASE = """
    with tombstone as (
        insert into state.erased as e (user_hash, until, expire_at) values (%(user_hash)s, %(until)s, %(expire_at)s)
        on conflict (user_hash) do update
           set until = greatest(e.until, excluded.until), expire_at = greatest(e.expire_at, excluded.expire_at)
    ), head as (
        delete from state.inbox_heads where user_id = %(user_id)s returning user_id
    ), erased as (
        delete from state.inbox
         where user_id = %(user_id)s and coalesce(accepted_at, created_at) <= %(until)s
           and (select count(*) from head) >= 0
        returning user_id
    )
    select pg_notify('inbox', user_id) from (select distinct user_id from erased) as changed
"""


class PostgresInbox:
    """The inboxes of all users. The publisher deletes the rows after ``expire_at``."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._puts = Gatherer[dict[str, Any], None](self._put_all, "inbox-puts")

    def put(self, user_id: str, entry: InboxEntry) -> None:
        fields = {name: getattr(entry, name) for name in _FIELDS}
        self._puts({"user_id": user_id, "expire_at": entry.delivered_at + KEPT_FOR, **fields})

    def _put_all(self, rows: Sequence[dict[str, Any]]) -> list[None]:
        with self._connected() as connection:
            connection.execute(_PUT, [msgspec.json.encode(rows).decode()])
        return [None] * len(rows)

    def holds(self, user_id: str, notification_id: str) -> bool:
        with self._connected() as connection:
            found = connection.execute(
                "select from state.inbox where user_id = %s and notification_id = %s", [user_id, notification_id]
            )
            return found.fetchone() is not None

    def mark_read(self, user_id: str, notification_ids: Sequence[str], at: datetime) -> int:
        return self._mark_named(_MARK_READ, user_id, notification_ids, at)

    def mark_archived(self, user_id: str, notification_ids: Sequence[str], at: datetime) -> int:
        return self._mark_named(_MARK_ARCHIVED, user_id, notification_ids, at)

    def mark_all_read(self, user_id: str, at: datetime) -> None:
        self._mark(_MARK_ALL_READ, {"user_id": user_id, "at": at})

    def mark_seen(self, user_id: str, at: datetime) -> None:
        self._mark(_MARK_SEEN, {"user_id": user_id, "at": at})

    def delete(self, user_id: str, notification_ids: Sequence[str]) -> None:
        with self._connected() as connection:
            connection.execute(_DELETE, {"user_id": user_id, "ids": list(notification_ids)})

    def erase(self, user_id: str, until: datetime, now: datetime) -> None:
        with self._connected() as connection:
            connection.execute(
                _ERASE,
                {
                    "user_id": user_id,
                    "user_hash": tombstone_of(user_id),
                    "until": until,
                    "expire_at": now + TOMBSTONE_KEPT_FOR,
                },
            )

    def erased_until(self, user_id: str) -> datetime | None:
        with self._connected() as connection:
            row = connection.execute(
                "select until from state.erased where user_hash = %s", [tombstone_of(user_id)]
            ).fetchone()
        return row["until"] if row else None

    def _mark_named(self, statement: str, user_id: str, notification_ids: Sequence[str], at: datetime) -> int:
        ids = set(notification_ids)
        return len(ids) - self._mark(statement, {"user_id": user_id, "at": at, "ids": list(ids)})

    def _mark(self, statement: str, parameters: dict[str, Any]) -> int:
        with self._connected() as connection:
            found: int = fetch_one(connection.execute(statement, parameters))["found"]
        return found

    def _connected(self) -> AbstractContextManager[Connected]:
        return connected(self._pool, refused=Reason.INBOX_REFUSED, unavailable=Reason.INBOX_UNAVAILABLE)
