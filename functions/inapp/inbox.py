"""Puts deliveries into the live inbox.

The inbox is a ledger by itself: it keeps one entry for each notification, so putting a delivery twice changes nothing.
A delivery that comes late does not bring back the inbox of a user who was erased meanwhile.
"""

from collections.abc import Callable
from datetime import datetime

from functions.runtime.arrival import PROVIDER, sent_to_inbox
from functions.runtime.inbox import LOOKED_UP_AFTER, InboxEntry, can_have_inbox
from functions.runtime.ports import Inbox
from functions.runtime.provider import Rejected, Sent
from shared.content import InappContent
from shared.envelope import Delivery
from shared.reasons import Reason


class InboxProvider:
    """Stores one entry per delivery. The recipient is the user's id."""

    name = PROVIDER

    def __init__(self, inbox: Inbox, now: Callable[[], datetime]) -> None:
        self._inbox = inbox
        self._now = now

    def send(self, delivery: Delivery) -> Sent | Rejected:
        content = delivery.content_as(InappContent)
        if not can_have_inbox(delivery.recipient):
            return Rejected(self.name, Reason.INVALID_USER_ID)
        now, accepted_at = self._now(), delivery.accepted_at or delivery.created_at
        if now - accepted_at > LOOKED_UP_AFTER and self._was_erased(delivery.recipient, accepted_at):
            return Rejected(self.name, Reason.ERASED, suppress=True)
        entry = InboxEntry(
            notification_id=delivery.notification_id,
            delivery_id=delivery.delivery_id,
            event_type=delivery.event_type,
            tenant=delivery.tenant,
            title=content.title,
            body=content.body,
            url=content.url,
            data=content.data,
            actor_user_id=delivery.actor_user_id,
            priority=delivery.priority,
            created_at=delivery.created_at,
            accepted_at=accepted_at,
            delivered_at=now,
            seen_at=delivery.read_at or delivery.archived_at,
            read_at=delivery.read_at,
            archived_at=delivery.archived_at,
        )
        self._inbox.put(delivery.recipient, entry)
        return sent_to_inbox(delivery)

    def _was_erased(self, user_id: str, accepted_at: datetime) -> bool:
        erased_until = self._inbox.erased_until(user_id)
        return erased_until is not None and accepted_at <= erased_until
