"""Where a user's inbox is read: one port, two readers, chosen in ``app.py``.

The publisher cannot read Firestore, so in the google profile it reads its own tables. In the other profiles it reads
what the worker writes, so that pages and the live stream agree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from postgres.pool import Pool, autocommit
from publisher_api.inbox import state_store, store
from publisher_api.inbox.cursor import Place
from publisher_api.inbox.model import InboxView, Tab


@dataclass(frozen=True, slots=True)
class Update:
    """What a client that listens must know: ``changes`` since what it knows, or a ``snapshot`` in place of it."""

    kind: Literal["snapshot", "changes"]
    view: InboxView


class InboxReader(Protocol):
    """Reads the inboxes of all users."""

    def page(self, user_id: str, tab: Tab, limit: int, before: Place | None) -> InboxView:
        """Up to ``limit`` entries, the newest first; only those that follow ``before``."""
        ...


@dataclass(frozen=True, slots=True)
class PublishersReader:
    """Reads the publisher's own tables. They have no version: clients listen to Firestore."""

    pool: Pool
    clock: Callable[[], datetime]

    def page(self, user_id: str, tab: Tab, limit: int, before: Place | None) -> InboxView:
        with self.pool.connection() as connection:
            now = self.clock()
            entries = store.read_entries(connection, user_id, tab, now, limit=limit, before=before)
            return InboxView(entries=entries, counts=store.count(connection, user_id, now), version=0)


@dataclass(frozen=True, slots=True)
class StateReader:
    """Reads the inboxes of the worker."""

    pool: Pool

    def page(self, user_id: str, tab: Tab, limit: int, before: Place | None) -> InboxView:
        with autocommit(self.pool) as connection:
            return state_store.read_page(connection, user_id, tab, limit=limit, before=before)

    def changes(self, user_id: str, since: int | None) -> Update | None:
        """What changed after version ``since``; None if nothing did.

        A snapshot if ``since`` is None, if more than ``MAX_CHANGED`` entries changed, or if the version was never
        reached: then Postgres was restored from a backup.
        """
        with autocommit(self.pool) as connection:
            if since is not None:
                changed = state_store.read_changes(connection, user_id, since)
                if changed is None or (changed.version > since and not changed.entries):
                    return None
                if changed.version > since and len(changed.entries) <= state_store.MAX_CHANGED:
                    return Update("changes", changed)
            newest = state_store.read_page(connection, user_id, Tab.ALL, limit=state_store.NEWEST, before=None)
            return Update("snapshot", newest)
