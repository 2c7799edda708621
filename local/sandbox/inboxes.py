"""Adds what arrives in users' inboxes to the arrivals: an in-app notification goes to no provider.

It is read where clients find it: the documents in Firestore, or the rows of ``state.inbox``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow, dict_row

from local.sandbox.arrivals import Arrivals
from postgres.listener import Listener
from shared.log_events import LogEvent
from shared.profile import Profile, profile_of

_SHOWN = ("title", "body", "url", "data")
_NEW = """
    select * from state.inbox
     where (%(user_id)s::text is null or user_id = %(user_id)s) and version > %(known)s and delivered_at >= %(since)s
     order by delivered_at
"""


def watch(environ: Mapping[str, str], arrivals: Arrivals) -> None:
    """Add every entry that is delivered from now on, by threads that end with this process."""
    now = datetime.now(UTC)
    if profile_of(environ) is Profile.GOOGLE:
        from local.sandbox import firestore_inboxes  # noqa: PLC0415 - takes 0.3 s and 30 MiB, only here

        firestore_inboxes.watch(Entries(arrivals, "firestore").add, now)
    else:
        _PostgresInboxes(environ["DATABASE_URL"], Entries(arrivals, "postgres"), now).listen()


@dataclass(frozen=True, slots=True)
class Entries:
    """Adds an entry to the arrivals once, although it is read again when it is marked and after a lost connection."""

    arrivals: Arrivals
    store: str
    _added: set[tuple[str, str]] = field(default_factory=set)

    def add(self, user_id: str, entry: Mapping[str, Any]) -> None:
        notification_id: str = entry["notification_id"]
        if (user_id, notification_id) in self._added:
            return
        self._added.add((user_id, notification_id))
        self.arrivals.add(
            channel_type="inapp",
            provider=self.store,
            provider_message_id=notification_id,
            recipient=user_id,
            at=datetime.fromtimestamp(entry["delivered_at"].timestamp(), UTC),  # Firestore has a class of its own
            answered=True,
            content={name: entry[name] for name in _SHOWN},
        )


class _PostgresInboxes:
    """Wakes when an inbox has changed, as the publisher does, and reads what is new in it."""

    def __init__(self, database_url: str, entries: Entries, since: datetime) -> None:
        self._database_url = database_url
        self._entries = entries
        self._since = since
        self._connection: Connection[DictRow] | None = None
        self._versions: dict[str | None, int] = {}
        """What is known of each inbox."""

    def listen(self) -> None:
        disconnected = LogEvent.INBOX_LISTENER_DISCONNECTED
        Listener(self._database_url, "inbox", self._read, self._read_all, disconnected).start()

    def _read_all(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._read()

    def _read(self, user_id: str | None = None) -> None:
        """Add what is new in one inbox, or in all of them."""
        if self._connection is None:
            self._connection = psycopg.connect(self._database_url, autocommit=True, row_factory=dict_row)
        parameters = {"user_id": user_id, "known": self._versions.get(user_id, 0), "since": self._since}
        for row in self._connection.execute(_NEW, parameters):
            self._versions[row["user_id"]] = max(row["version"], self._versions.get(row["user_id"], 0))
            self._entries.add(row["user_id"], row)
