"""Where a user's inbox is read: one port, two readers, chosen in ``app.py``.

The publisher cannot read Firestore, so in the google profile it reads its own tables. In the other profiles it reads
what the worker writes, so that pages and the live stream agree.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from postgres.pool import Pool, autocommit
from publisher_api.inbox import state_store, store
from publisher_api.inbox.cursor import Place
from publisher_api.inbox.model import Asked, InboxView, Tab
from publisher_api.principal import Sight


@dataclass(frozen=True, slots=True)
class Update:
    """What a client that listens must know: ``changes`` since what it knows, or a ``snapshot`` in place of it."""

    kind: Literal["snapshot", "changes"]
    view: InboxView


class InboxReader(Protocol):
    """Reads the inboxes of all users."""

    def page(self, user_id: str, tenant: str | None, tab: Tab, limit: int, before: Place | None) -> InboxView:
        """Up to ``limit`` entries, of one tenant or of all, the newest first; only those that follow ``before``."""
        ...


@dataclass(frozen=True, slots=True)
class PublishersReader:
    """Reads the publisher's own tables. They have no version: clients listen to Firestore."""

    pool: Pool
    clock: Callable[[], datetime]

    def page(self, user_id: str, tenant: str | None, tab: Tab, limit: int, before: Place | None) -> InboxView:
        with self.pool.connection() as connection:
            now, sight = self.clock(), Sight(tenant=tenant)
            entries = store.read_entries(connection, user_id, sight, tab, now, limit=limit, before=before)
            return InboxView(entries=entries, counts=store.count(connection, user_id, sight, now), version=0)


@dataclass(frozen=True, slots=True)
class StateReader:
    """Reads the inboxes of the worker."""

    pool: Pool

    def page(self, user_id: str, tenant: str | None, tab: Tab, limit: int, before: Place | None) -> InboxView:
        with autocommit(self.pool) as connection:
            return state_store.read_page(connection, user_id, tenant, tab, limit=limit, before=before)

    def changes(self, asked: Sequence[Asked]) -> list[Update | None]:
        """For each of ``asked``, what changed after the version that is known; None if nothing did.

        A snapshot if no version is known, if more than ``MAX_CHANGED`` entries changed, or if what changed is not
        known: then entries were deleted, or Postgres was restored from a backup.
        """
        updates: list[Update | None] = [None] * len(asked)
        snapshots = {number for number, each in enumerate(asked) if each.since is None}
        with autocommit(self.pool) as connection:
            for number, changed in state_store.read_changes(connection, asked).items():
                if changed is None or len(changed.entries) > state_store.MAX_CHANGED:
                    snapshots.add(number)
                elif changed.entries:
                    updates[number] = Update("changes", changed)
            newest = state_store.read_newest(connection, [asked[number] for number in snapshots])
            for number, view in zip(snapshots, newest, strict=True):
                updates[number] = Update("snapshot", view)
        return updates

    def versions(self, user_ids: Sequence[str]) -> dict[str, int]:
        """The version of each inbox. An inbox that never had an entry has none."""
        with autocommit(self.pool) as connection:
            return state_store.read_versions(connection, user_ids)
