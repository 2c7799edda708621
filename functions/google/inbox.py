"""The inbox that web and mobile clients listen to: Firestore's ``users/{user_id}/inbox/{notification_id}``."""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from itertools import islice

from google.api_core.exceptions import AlreadyExists
from google.cloud.firestore import Client, CollectionReference, DocumentReference, DocumentSnapshot, Query
from google.cloud.firestore_v1.base_query import FieldFilter

from functions.google.calls import CALL, google_errors
from functions.runtime.inbox import TOMBSTONE_KEPT_FOR, InboxEntry, tombstone_of
from shared.inbox import KEPT_FOR
from shared.reasons import Reason

TOMBSTONES = "erased"
"""The collection that remembers who was erased, by the hash of the user id, with a time-to-live policy as the inbox."""
_BATCH_SIZE = 400
"""Firestore writes at most 500 documents in one batch."""


def inbox_of(client: Client, user_id: str) -> CollectionReference:
    """The collection of one user. ``can_have_inbox`` must hold for ``user_id``."""
    inbox: CollectionReference = client.collection("users").document(user_id).collection("inbox")
    return inbox


def unread(inbox: CollectionReference, until: datetime) -> Query:
    """What is unread and was delivered by ``until``. A producer's ``created_at`` may lie long before the delivery."""
    return (
        inbox.where(filter=FieldFilter("read_at", "==", None))
        .where(filter=FieldFilter("delivered_at", "<=", until))
        .order_by("delivered_at")
    )


def unseen(inbox: CollectionReference, until: datetime) -> Query:
    """What is unseen and was delivered by ``until``. Finds no document of a release without ``seen_at``."""
    return (
        inbox.where(filter=FieldFilter("seen_at", "==", None))
        .where(filter=FieldFilter("delivered_at", "<=", until))
        .order_by("delivered_at")
    )


class FirestoreInbox:
    """The inboxes in Firestore, with ``expire_at`` for Firestore's time-to-live policy."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def put(self, user_id: str, entry: InboxEntry) -> None:
        document = inbox_of(self._client, user_id).document(entry.notification_id)
        fields = {**dataclasses.asdict(entry), "expire_at": entry.delivered_at + KEPT_FOR}
        with _errors(), suppress(AlreadyExists):
            document.create(fields, **CALL)

    def holds(self, user_id: str, notification_id: str) -> bool:
        document = inbox_of(self._client, user_id).document(notification_id)
        with _errors():
            exists: bool = document.get(["delivery_id"], **CALL).exists
        return exists

    def mark_read(self, user_id: str, notification_ids: Sequence[str], at: datetime) -> int:
        return self._mark_named(user_id, notification_ids, "read_at", at)

    def mark_archived(self, user_id: str, notification_ids: Sequence[str], at: datetime) -> int:
        return self._mark_named(user_id, notification_ids, "archived_at", at)

    def mark_all_read(self, user_id: str, at: datetime) -> None:
        self._mark_found(unread(inbox_of(self._client, user_id), at), "read_at", at)

    def mark_seen(self, user_id: str, at: datetime) -> None:
        self._mark_found(unseen(inbox_of(self._client, user_id), at), "seen_at", at)

    def delete(self, user_id: str, notification_ids: Sequence[str]) -> None:
        inbox = inbox_of(self._client, user_id)
        with _errors():
            for ids in _batches(notification_ids):
                batch = self._client.batch()
                for each in ids:
                    batch.delete(inbox.document(each))
                batch.commit(**CALL)

    def erase(self, user_id: str, until: datetime, now: datetime) -> None:
        tombstone = self._tombstone(user_id)
        with _errors():
            if (known := self.erased_until(user_id)) is None or known < until:
                tombstone.set({"until": until, "expire_at": now + TOMBSTONE_KEPT_FOR}, **CALL)
            place = inbox_of(self._client, user_id).order_by("__name__").limit(_BATCH_SIZE)
            while found := list(place.select(["accepted_at", "created_at"]).stream(**CALL)):
                batch = self._client.batch()
                for document in found:
                    if _accepted_at(document) <= until:
                        batch.delete(document.reference)
                batch.commit(**CALL)
                place = place.start_after(found[-1])

    def erased_until(self, user_id: str) -> datetime | None:
        with _errors():
            fields = self._tombstone(user_id).get(**CALL).to_dict()
        return fields["until"] if fields else None

    def _tombstone(self, user_id: str) -> DocumentReference:
        return self._client.collection(TOMBSTONES).document(tombstone_of(user_id).hex())

    def _mark_named(self, user_id: str, notification_ids: Sequence[str], field: str, at: datetime) -> int:
        inbox = inbox_of(self._client, user_id)
        missing = 0
        with _errors():
            for ids in _batches(notification_ids):
                documents = [inbox.document(each) for each in ids]
                found = list(self._client.get_all(documents, [field, "seen_at"], **CALL))
                self._update([each for each in found if each.exists and _is_unset(each, field)], field, at)
                missing += sum(not each.exists for each in found)
        return missing

    def _mark_found(self, query: Query, field: str, at: datetime) -> None:
        with _errors():
            while found := list(query.limit(_BATCH_SIZE).stream(**CALL)):
                self._update(found, field, at)

    def _update(self, documents: Sequence[DocumentSnapshot[DocumentReference]], field: str, at: datetime) -> None:
        batch = self._client.batch()
        for document in documents:
            batch.update(document.reference, {name: at for name in ("seen_at", field) if _is_unset(document, name)})
        if documents:
            batch.commit(**CALL)


def _is_unset(document: DocumentSnapshot[DocumentReference], field: str) -> bool:
    """Whether the field is null, or missing: documents of earlier releases lack some."""
    return (document.to_dict() or {}).get(field) is None


def _accepted_at(document: DocumentSnapshot[DocumentReference]) -> datetime:
    """Documents of earlier releases have the time of their event only, which is not later."""
    fields = document.to_dict() or {}
    accepted_at: datetime = fields.get("accepted_at") or fields["created_at"]
    return accepted_at


def _errors() -> AbstractContextManager[None]:
    return google_errors(refused=Reason.INBOX_REFUSED, unavailable=Reason.INBOX_UNAVAILABLE)


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    remaining = iter(ids)
    while batch := list(islice(remaining, _BATCH_SIZE)):
        yield batch
