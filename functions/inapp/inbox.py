"""The inbox that web and mobile clients listen to: Firestore's ``users/{user}/inbox/{notification}``.

It is its own ledger: a document is created once, and creating it again is the proof that it was delivered.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from google.api_core.exceptions import AlreadyExists
from google.cloud.firestore import Client, CollectionReference

from functions.runtime.google_api import CALL, delivery_errors
from functions.runtime.provider import Rejected, Sent
from shared.content import InappContent
from shared.envelope import Delivery

KEPT_FOR = timedelta(days=90)
_DOCUMENT_ID = re.compile(r"(?!\.\.?$)(?!__.*__$)[^/]+")


def inbox_of(client: Client, user_id: str) -> CollectionReference:
    """The collection of one person. ``user_id`` must be fit for a document's id (``is_document_id``)."""
    inbox: CollectionReference = client.collection("users").document(user_id).collection("inbox")
    return inbox


def is_document_id(user_id: str) -> bool:
    """Whether Firestore takes it as one segment of a path: with a slash it would be a place in another's tree."""
    return _DOCUMENT_ID.fullmatch(user_id) is not None


class Inbox:
    """Puts deliveries into inboxes. The recipient is the user's id."""

    name = "firestore"

    def __init__(self, client: Client, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now

    def send(self, delivery: Delivery) -> Sent | Rejected:
        content = delivery.content_as(InappContent)
        if not is_document_id(delivery.recipient):
            return Rejected(self.name, "invalid_user_id")
        now = self._now()
        fields = {
            "notification_id": delivery.notification_id,
            "delivery_id": delivery.delivery_id,
            "event_type": delivery.event_type,
            "title": content.title,
            "body": content.body,
            "url": content.url,
            "data": content.data,
            "actor_user_id": delivery.actor_user_id,
            "priority": delivery.priority,
            "created_at": delivery.created_at,
            "delivered_at": now,
            "read_at": delivery.read_at,
            "expire_at": now + KEPT_FOR,
        }
        document = inbox_of(self._client, delivery.recipient).document(delivery.notification_id)
        with delivery_errors("inbox"), suppress(AlreadyExists):  # delivered before, and our word of it got lost
            document.create(fields, **CALL)
        return Sent(self.name, delivery.notification_id)
