"""Marks notifications as seen, read or archived: in Postgres first, then by a command in the live inbox.

The command is written to the outbox in the same transaction, so the two cannot disagree for long.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from postgres.pool import Connected, Pool
from publisher_api.inbox import store
from publisher_api.inbox.cursor import Place
from publisher_api.inbox.model import InboxPage, ReadNotification, ReadRequest, ReadResult, Tab, UnreadCount
from publisher_api.inbox.reader import InboxReader
from publisher_api.outbox.commands import add_command
from publisher_api.principal import EVERYTHING, Sight
from publisher_api.refusal import not_found
from shared.envelope import VERSION, Command

MAX_COUNTED = 1000
MARKED_IN_A_STEP = 1000
_COMMANDS: Mapping[store.Mark, Literal["read", "archive"]] = {"read_at": "read", "archived_at": "archive"}


@dataclass(frozen=True, slots=True)
class Inbox:
    """The use cases of the inbox.

    ``reader`` reads what clients listen to. ``new_id`` gives ids of commands; ``publish_soon`` is called when a command
    is committed.
    """

    pool: Pool
    reader: InboxReader
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    publish_soon: Callable[[], None]

    def count_unread(self, user_id: str, sight: Sight) -> UnreadCount:
        with self.pool.connection() as connection:
            found = store.count_unread(connection, user_id, sight, self.clock(), limit=MAX_COUNTED + 1)
        return UnreadCount(user_id=user_id, unread=min(found, MAX_COUNTED), more=found > MAX_COUNTED)

    def read(self, notification_id: UUID, sight: Sight) -> ReadNotification:
        """Mark one notification; a second call changes nothing. Raises ``Refusal``."""
        with self.pool.connection() as connection:
            self._mark(connection, "read_at", [notification_id], None, sight)
            read_at = store.read_at(connection, notification_id, sight)
        self.publish_soon()
        if read_at is None:
            raise not_found(f"Notification {notification_id}")
        return ReadNotification(notification_id=notification_id, read_at=read_at)

    def read_many(self, request: ReadRequest, sight: Sight) -> ReadResult:
        """Mark several of a user's notifications, or all in sight. Ids of others, and of other users, are ignored."""
        if not request.all:
            marked = self.mark("read_at", request.user_id, request.notification_ids, sight)
        elif sight == EVERYTHING:
            marked = self.mark_all_read(request.user_id)
        else:
            now = self.clock()
            marked = _in_steps(lambda: self._mark_some_in_sight(request.user_id, sight, now))
            self.publish_soon()
        return ReadResult(user_id=request.user_id, marked=marked)

    def page(self, user_id: str, tenant: str | None, tab: Tab, limit: int, before: str | None) -> InboxPage:
        """A page of a user's inbox, or of a tenant's entries in it. Raises ``Refusal``."""
        view = self.reader.page(user_id, tenant, tab, limit + 1, Place.parse(before) if before is not None else None)
        entries = view.entries[:limit]
        following = str(Place.of(entries[-1])) if len(view.entries) > limit else None
        return InboxPage(entries=entries, counts=view.counts, version=view.version, next=following)

    def mark(self, column: store.Mark, user_id: str, ids: Sequence[UUID], sight: Sight = EVERYTHING) -> int:
        """Mark those of a user's notifications that are not marked yet; returns how many."""
        with self.pool.connection() as connection:
            marked = self._mark(connection, column, ids, user_id, sight)
        self.publish_soon()
        return marked

    def mark_all_read(self, user_id: str) -> int:
        """Mark everything that is in a user's inbox, or on its way there, as read; returns how many."""
        now = self.clock()
        marked = _in_steps(lambda: self._mark_some_read(user_id, now))
        self.publish_soon()
        return marked

    def mark_seen(self, user_id: str) -> int:
        """Mark everything that is due in a user's inbox as seen; returns how many.

        An entry that arrives in the live inbox only now is unseen there and seen here. The next call finds it there.
        """
        now = self.clock()
        marked = _in_steps(lambda: self._mark_some_seen(user_id, now))
        if not marked and self.reader.page(user_id, None, Tab.UNREAD, 1, None).counts.unseen:
            with self.pool.connection() as connection:
                self._add_seen(connection, user_id, now)
        self.publish_soon()
        return marked

    def _mark(
        self, connection: Connected, column: store.Mark, ids: Sequence[UUID], user_id: str | None, sight: Sight
    ) -> int:
        now = self.clock()
        marked = store.mark(connection, column, ids, user_id, sight, now)
        in_inbox = [each.notification_id for each in marked if each.in_inbox]
        if in_inbox:
            # All ids are one user's: the caller named the user, or gave one id.
            command = Command(
                v=VERSION, command=_COMMANDS[column], at=now, user_id=marked[0].user_id, notification_ids=in_inbox
            )
            add_command(connection, self.new_id(), command, now)
        return len(marked)

    def _mark_some_in_sight(self, user_id: str, sight: Sight, now: datetime) -> int:
        with self.pool.connection() as connection:
            ids = store.unread_ids(connection, user_id, sight, now, limit=MARKED_IN_A_STEP)
            return self._mark(connection, "read_at", ids, user_id, sight)

    def _mark_some_read(self, user_id: str, now: datetime) -> int:
        with self.pool.connection() as connection:
            marked, not_arrived = store.mark_all_read(connection, user_id, now, limit=MARKED_IN_A_STEP)
            if marked:
                command = Command(v=VERSION, command="read_all", at=now, user_id=user_id, notification_ids=not_arrived)
                add_command(connection, self.new_id(), command, now)
            return marked

    def _mark_some_seen(self, user_id: str, now: datetime) -> int:
        with self.pool.connection() as connection:
            marked = store.mark_seen(connection, user_id, now, limit=MARKED_IN_A_STEP)
            if marked:
                self._add_seen(connection, user_id, now)
            return marked

    def _add_seen(self, connection: Connected, user_id: str, now: datetime) -> None:
        add_command(connection, self.new_id(), Command(v=VERSION, command="seen", at=now, user_id=user_id), now)


def _in_steps(mark_some: Callable[[], int]) -> int:
    """Mark in steps, a transaction each, so that no row is locked for long and no command is large."""
    total = 0
    while marked := mark_some():
        total += marked
    return total
