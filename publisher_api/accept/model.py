"""What accepting works with."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from publisher_api.limits.model import Quota
from publisher_api.notifications.records import DeliveryRecord, NotificationRecord
from publisher_api.notifications.request import NotificationRequest
from publisher_api.refusal import Refusal
from publisher_api.users.model import User

ProducerKey = tuple[str, str]
"""The owner of a request and one of its keys (a ``dedup_key``, or an ``Idempotency-Key``)."""


@dataclass(frozen=True, slots=True)
class AcceptRequest:
    """One HTTP request: a single notification, or the items of a batch, some of which may be refused already.

    ``idempotency_key`` is the header's; ``body`` is the body that it is bound to. ``tenant`` is the credential's.
    """

    producer: str
    items: Sequence[NotificationRequest | Refusal]
    batch: bool = False
    idempotency_key: str | None = None
    body: bytes = b""
    traceparent: str | None = None
    tenant: str | None = None

    @property
    def owner(self) -> str:
        """Whose keys the request uses. Two tenants of a producer may use the same key for different things."""
        return self.producer if self.tenant is None else f"{self.producer}\n{self.tenant}"

    @property
    def body_hash(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @property
    def key(self) -> ProducerKey | None:
        return (self.owner, self.idempotency_key) if self.idempotency_key else None

    @property
    def valid_items(self) -> Iterator[NotificationRequest]:
        return (item for item in self.items if isinstance(item, NotificationRequest))

    def dedup_key_of(self, item: NotificationRequest) -> ProducerKey | None:
        return (self.owner, item.dedup_key) if item.dedup_key else None


@dataclass(frozen=True, slots=True)
class AcceptResult:
    """The JSON that answers an accepted request. ``replayed``: the same Idempotency-Key was answered with it before.

    ``quota`` is what is left of the producer's limit; None if it has none, or if the request took nothing of it.
    """

    body: dict[str, Any]
    replayed: bool = False
    quota: Quota | None = None


class Accepted(msgspec.Struct, frozen=True):
    """One accepted item. ``duplicate``: it led to a notification that existed before."""

    notification_id: str
    duplicate: bool = False


ItemResult = Accepted | Refusal
"""What became of one item."""


class DedupRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A ``dedup_key`` and the notification that it leads to."""

    producer: str
    dedup_key: str
    notification_id: str
    expires_at: datetime


class IdempotencyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An ``Idempotency-Key`` and the answer that it gives: ``{"status": 202, "body": {…}}``."""

    producer: str
    idempotency_key: str
    body_hash: str
    answer: dict[str, Any]
    expires_at: datetime


class KnownNotification(msgspec.Struct, frozen=True, kw_only=True):
    """A notification that exists already under an id that a producer gave."""

    notification_id: str
    producer: str
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    """Every key of a list of requests: what may lead to a notification that exists already."""

    dedup: frozenset[ProducerKey]
    idempotency: frozenset[ProducerKey]
    notification_ids: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.dedup or self.idempotency or self.notification_ids)


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """What is stored under ``Keys``, each by its key."""

    dedup: dict[ProducerKey, DedupRecord] = field(default_factory=dict)
    idempotency: dict[ProducerKey, IdempotencyRecord] = field(default_factory=dict)
    notifications: dict[str, KnownNotification] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AcceptContext:
    """What accepting has to know of the database before it plans. ``users`` by id."""

    users: dict[str, User]
    keys: KnownKeys


@dataclass(slots=True)
class PendingWrites:
    """What a list of requests is going to write. ``known``: the notifications, by id."""

    notifications: list[NotificationRecord] = field(default_factory=list)
    known: dict[str, KnownNotification] = field(default_factory=dict)
    deliveries: list[DeliveryRecord] = field(default_factory=list)
    dedup: dict[ProducerKey, DedupRecord] = field(default_factory=dict)
    idempotency: dict[ProducerKey, IdempotencyRecord] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.notifications or self.dedup or self.idempotency)
