"""Decides what a repeated request gets: the first answer, the first notification, or "in progress". Pure.

Three keys lead to what exists already: the header ``Idempotency-Key`` (the same answer for 24 hours), ``dedup_key``
(the first notification for 24 hours) and ``notification_id`` (the notification of that id).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from publisher_api.accept.model import (
    Accepted,
    AcceptRequest,
    AcceptResult,
    DedupRecord,
    IdempotencyRecord,
    ItemResult,
    Keys,
    KnownKeys,
    PendingWrites,
    ProducerKey,
)
from publisher_api.notifications.request import NotificationRequest
from publisher_api.refusal import Refusal, RefusalCode, invalid

KEY_WINDOW = timedelta(hours=24)
ACCEPTED = 202


def keys_of(requests: Iterable[AcceptRequest]) -> Keys:
    """Every key in ``requests``."""
    dedup: set[ProducerKey] = set()
    idempotency: set[ProducerKey] = set()
    notification_ids: set[str] = set()
    for request in requests:
        if request.key is not None:
            idempotency.add(request.key)
        for item in request.valid_items:
            if (key := request.dedup_key_of(item)) is not None:
                dedup.add(key)
            if item.notification_id is not None:
                notification_ids.add(str(item.notification_id))
    return Keys(frozenset(dedup), frozenset(idempotency), frozenset(notification_ids))


def replay(request: AcceptRequest, known: KnownKeys) -> AcceptResult | Refusal | None:
    """The stored answer to the request's Idempotency-Key; None if there is none."""
    record = known.idempotency.get(request.key) if request.key else None
    if record is None:
        return None
    if record.body_hash != request.body_hash:
        detail = (
            "This Idempotency-Key was used with another body in the last 24 hours. Use a new key for a new request."
        )
        fields = [("Idempotency-Key", "belongs to another body")]
        return Refusal(RefusalCode.IDEMPOTENCY_KEY_REUSED, detail, fields=fields)
    return AcceptResult(record.answer["body"], replayed=True)


def in_flight(request: AcceptRequest, busy: Keys, writes: PendingWrites) -> Refusal | None:
    """A refusal if another transaction, or an earlier request of this one, holds the request's Idempotency-Key."""
    if request.key is not None and (request.key in busy.idempotency or request.key in writes.idempotency):
        return in_progress("Idempotency-Key")
    return None


def item_in_flight(request: AcceptRequest, busy: Keys) -> Refusal | None:
    """A refusal of the whole request if it has an Idempotency-Key and the key of an item is busy.

    Otherwise the Idempotency-Key would answer for a day with a refusal that was only temporary.
    """
    if request.key is None:
        return None
    keys = keys_of([request])
    if not busy.dedup.isdisjoint(keys.dedup):
        return in_progress("dedup_key")
    if not busy.notification_ids.isdisjoint(keys.notification_ids):
        return in_progress("notification_id")
    return None


def existing(
    request: AcceptRequest, item: NotificationRequest, known: KnownKeys, busy: Keys, writes: PendingWrites
) -> ItemResult | None:
    """The notification that the item's ``dedup_key`` or ``notification_id`` leads to; None if the item is new."""
    if not item.has_key:  # most items: this runs for each item of a batch, twice
        return None
    of_id = _of_id(request, item, known, busy, writes)
    key = request.dedup_key_of(item)
    if key is None or isinstance(of_id, Refusal):
        return of_id
    record = writes.dedup.get(key) or known.dedup.get(key)
    if record is None:
        return in_progress("dedup_key") if key in busy.dedup else of_id
    if of_id is not None and of_id.notification_id != record.notification_id:
        message = (
            f"exists, but this dedup_key leads to notification {record.notification_id}. Send only one of the two."
        )
        return invalid("notification_id", message, RefusalCode.NOTIFICATION_ID_TAKEN)
    return Accepted(record.notification_id, duplicate=True)


def _of_id(
    request: AcceptRequest, item: NotificationRequest, known: KnownKeys, busy: Keys, writes: PendingWrites
) -> ItemResult | None:
    if item.notification_id is None:
        return None
    notification_id = str(item.notification_id)
    if notification_id in busy.notification_ids:
        return in_progress("notification_id")
    found = known.notifications.get(notification_id) or writes.known.get(notification_id)
    if found is None:
        return None
    if found.producer != request.producer or request.tenant not in (None, found.tenant):
        message = "belongs to a notification of another producer or tenant. Use a new UUID."
        return invalid("notification_id", message, RefusalCode.NOTIFICATION_ID_TAKEN)
    return Accepted(notification_id, duplicate=True)


def expired(
    request: AcceptRequest, items: Iterable[NotificationRequest], known: KnownKeys, busy: Keys, writes: PendingWrites
) -> Refusal | None:
    """A refusal of the whole request if one of ``items``, which led to what existed at the first look, no longer does.

    They have no plan, and an answer that is stored under an Idempotency-Key must not hold a temporary refusal.
    """
    if all(existing(request, item, known, busy, writes) is not None for item in items):
        return None
    return Refusal(RefusalCode.IN_FLIGHT, "A key of this request expired while it was read. Send the request again.")


def in_progress(name: str) -> Refusal:
    """The refusal for a key that another request holds at this moment."""
    return Refusal(
        RefusalCode.IN_FLIGHT, f"A request with this {name} is in progress. Send the request again in a moment."
    )


def dedup_record(key: tuple[str, str], notification_id: str, now: datetime) -> DedupRecord:
    return DedupRecord(producer=key[0], dedup_key=key[1], notification_id=notification_id, expires_at=now + KEY_WINDOW)


def idempotency_record(request: AcceptRequest, result: AcceptResult, now: datetime) -> IdempotencyRecord:
    return IdempotencyRecord(
        producer=request.owner,
        idempotency_key=request.idempotency_key or "",
        body_hash=request.body_hash,
        answer={"status": ACCEPTED, "body": result.body},
        expires_at=now + KEY_WINDOW,
    )
