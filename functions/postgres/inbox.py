"""The inboxes in Postgres: one row per notification in ``state.inbox``."""

import dataclasses
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import msgspec

from functions.postgres.calls import connected
from functions.runtime.inbox import KEPT_FOR, InboxEntry
from postgres.pool import Connected, Pool
from shared.gathering import Gatherer
from shared.reasons import Reason

_FIELDS = tuple(field.name for field in dataclasses.fields(InboxEntry))
_PUT = f"""
    insert into state.inbox (user_id, expire_at, {", ".join(_FIELDS)})
    select user_id, expire_at, {", ".join(_FIELDS)} from json_populate_recordset(null::state.inbox, %s::json)
     order by user_id, notification_id  -- two statements with the same entries would wait for each other
    on conflict (user_id, notification_id) do nothing
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
        ids = list(notification_ids)
        with self._connected() as connection:
            held = connection.execute(
                """
                with named as (
                    select notification_id, read_at from state.inbox
                     where user_id = %(user_id)s and notification_id = any(%(ids)s)
                     order by notification_id for no key update
                ), marked as (
                    update state.inbox i set read_at = %(at)s from named n
                     where i.user_id = %(user_id)s and i.notification_id = n.notification_id and n.read_at is null
                )
                select notification_id from named
                """,
                {"user_id": user_id, "ids": ids, "at": at},
            ).fetchall()
        return len(set(ids) - {row["notification_id"] for row in held})

    def mark_all_read(self, user_id: str, at: datetime) -> None:
        with self._connected() as connection:
            connection.execute(
                """
                with unread as (
                    select notification_id from state.inbox
                     where user_id = %(user_id)s and read_at is null and delivered_at <= %(at)s
                     order by notification_id for no key update
                )
                update state.inbox i set read_at = %(at)s from unread u
                 where i.user_id = %(user_id)s and i.notification_id = u.notification_id
                """,
                {"user_id": user_id, "at": at},
            )

    def _connected(self) -> AbstractContextManager[Connected]:
        return connected(self._pool, refused=Reason.INBOX_REFUSED, unavailable=Reason.INBOX_UNAVAILABLE)
