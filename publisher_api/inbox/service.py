"""Marks notifications as read: in Postgres first, then by a command in the live inbox that clients listen to.

The command is written to the outbox in the same transaction, so the two cannot disagree for long.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from postgres.pool import Connected, Pool
from publisher_api.inbox import store
from publisher_api.inbox.model import ReadNotification, ReadRequest, ReadResult, UnreadCount
from publisher_api.outbox.commands import add_command
from publisher_api.refusal import not_found
from shared.envelope import VERSION, Command

MAX_COUNTED = 1000
MARKED_IN_A_STEP = 1000


@dataclass(frozen=True, slots=True)
class Inbox:
    """The use cases of the inbox.

    ``new_id`` gives ids of commands; ``publish_soon`` is called when a command is committed.
    """

    pool: Pool
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    publish_soon: Callable[[], None]

    def count_unread(self, user_id: str) -> UnreadCount:
        with self.pool.connection() as connection:
            found = store.count_unread(connection, user_id, self.clock(), limit=MAX_COUNTED + 1)
        return UnreadCount(user_id=user_id, unread=min(found, MAX_COUNTED), more=found > MAX_COUNTED)

    def read(self, notification_id: UUID) -> ReadNotification:
        """Mark one notification; a second call changes nothing. Raises ``Refusal``."""
        with self.pool.connection() as connection:
            self._mark(connection, [notification_id], None)
            read_at = store.read_at(connection, notification_id)
        self.publish_soon()
        if read_at is None:
            raise not_found(f"Notification {notification_id}")
        return ReadNotification(notification_id=notification_id, read_at=read_at)

    def read_many(self, request: ReadRequest) -> ReadResult:
        """Mark several of a user's notifications, or all. Ids of other users are ignored."""
        if request.all:
            marked = self._mark_all(request.user_id)
        else:
            with self.pool.connection() as connection:
                marked = self._mark(connection, request.notification_ids, request.user_id)
        self.publish_soon()
        return ReadResult(user_id=request.user_id, marked=marked)

    def _mark(self, connection: Connected, ids: Sequence[UUID], user_id: str | None) -> int:
        now = self.clock()
        marked = store.mark_read(connection, ids, user_id, now)
        in_inbox = [each.notification_id for each in marked if each.in_inbox]
        if in_inbox:
            # All ids are one user's: the caller named the user, or gave one id.
            command = Command(v=VERSION, command="read", at=now, user_id=marked[0].user_id, notification_ids=in_inbox)
            add_command(connection, self.new_id(), command, now)
        return len(marked)

    def _mark_all(self, user_id: str) -> int:
        """Mark in steps, a transaction each, so that no row is locked for long and no command is large."""
        now = self.clock()
        total = 0
        while marked := self._mark_some(user_id, now):
            total += marked
        return total

    def _mark_some(self, user_id: str, now: datetime) -> int:
        with self.pool.connection() as connection:
            marked, not_arrived = store.mark_all_read(connection, user_id, now, limit=MARKED_IN_A_STEP)
            if marked:
                command = Command(v=VERSION, command="read_all", at=now, user_id=user_id, notification_ids=not_arrived)
                add_command(connection, self.new_id(), command, now)
            return marked
