"""Puts deliveries into the live inbox.

The inbox is a ledger by itself: it keeps one entry for each notification, so putting a delivery twice changes nothing.
"""

from collections.abc import Callable
from datetime import datetime

from functions.runtime.arrival import PROVIDER, sent_to_inbox
from functions.runtime.inbox import InboxEntry, can_have_inbox
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
        entry = InboxEntry(
            notification_id=delivery.notification_id,
            delivery_id=delivery.delivery_id,
            event_type=delivery.event_type,
            title=content.title,
            body=content.body,
            url=content.url,
            data=content.data,
            actor_user_id=delivery.actor_user_id,
            priority=delivery.priority,
            created_at=delivery.created_at,
            delivered_at=self._now(),
            seen_at=delivery.read_at or delivery.archived_at,
            read_at=delivery.read_at,
            archived_at=delivery.archived_at,
        )
        self._inbox.put(delivery.recipient, entry)
        return sent_to_inbox(delivery)
