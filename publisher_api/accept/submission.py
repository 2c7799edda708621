"""Plans the items of a request, and decides what becomes of each. Pure: a template renders without a connection."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from publisher_api.accept import idempotency
from publisher_api.accept.model import (
    AcceptContext,
    Accepted,
    AcceptRequest,
    AcceptResult,
    ItemResult,
    Keys,
    KnownKeys,
    KnownNotification,
    PendingWrites,
)
from publisher_api.configuration import Configuration
from publisher_api.limits.model import LimitReached
from publisher_api.notifications.request import NotificationRequest
from publisher_api.planning.plan import Plan, plan
from publisher_api.planning.template_limits import limited
from publisher_api.refusal import Refusal, RefusalCode, overloaded
from publisher_api.users.model import User

# Templates can make long content from short requests. What is planned is held in memory and sent in one statement.
MAX_BATCH_CONTENT_BYTES = 16 * 1024**2
MAX_CONTENT_BYTES = 32 * 1024**2
_NO_KEYS = Keys(frozenset(), frozenset(), frozenset())
_NO_WRITES = PendingWrites()

Prepared = Plan | Refusal | None


@dataclass(slots=True)
class Planner:
    """Plans the requests of one transaction, at one moment. ``new_id`` gives UUIDs of version 7.

    ``render_seconds`` of CPU time are for the templates of all items of a request together. Items that would need more
    are refused, and so are those that would make the content of a request larger than a batch may have.
    ``content_bytes`` counts the content of all requests. When it is larger than a transaction may have, the requests
    that follow are refused as ``overloaded``.
    """

    configuration: Configuration
    now: datetime
    new_id: Callable[[], str]
    render_seconds: float = 2.0
    content_bytes: int = 0

    def prepare(self, request: AcceptRequest, context: AcceptContext) -> list[Prepared]:
        """For each item its plan or its refusal; None where the item leads to what exists already."""
        if idempotency.replay(request, context.keys) is not None:
            return [None] * len(request.items)
        refusal = overloaded() if self.content_bytes > MAX_CONTENT_BYTES else None
        most = self.content_bytes + MAX_BATCH_CONTENT_BYTES
        with limited(self.render_seconds):
            return [self._counted(refusal or self._prepare(request, item, context), most) for item in request.items]

    def _counted(self, prepared: Prepared, most: int) -> Prepared:
        """The plan, or a refusal in place of a plan with which ``content_bytes`` would be more than ``most``."""
        if not isinstance(prepared, Plan):
            return prepared
        if self.content_bytes + prepared.content_bytes > most:
            megabytes = MAX_BATCH_CONTENT_BYTES // 1024**2
            detail = f"The content of the batch is larger than {megabytes} MB. Send the batch in smaller parts."
            return Refusal(RefusalCode.TOO_LARGE, detail)
        self.content_bytes += prepared.content_bytes
        return prepared

    def _prepare(self, request: AcceptRequest, item: NotificationRequest | Refusal, context: AcceptContext) -> Prepared:
        if isinstance(item, Refusal):
            return item
        if idempotency.existing(request, item, context.keys, _NO_KEYS, _NO_WRITES) is not None:
            return None
        user = context.users.get(item.user_id) or User(user_id=item.user_id)
        try:
            return plan(
                item,
                request.producer,
                user,
                self.configuration,
                now=self.now,
                new_id=self.new_id,
                traceparent=request.traceparent,
            )
        except Refusal as refusal:
            return refusal


@dataclass(frozen=True, slots=True)
class Decision:
    """Decides what becomes of several requests, in their order, and collects what to write."""

    known: KnownKeys
    busy: Keys
    now: datetime
    writes: PendingWrites

    def decide(self, request: AcceptRequest, prepared: Sequence[Prepared]) -> list[ItemResult] | AcceptResult | Refusal:
        """A result for each item; or the stored result of the whole request, or the refusal of the whole."""
        answered = (
            idempotency.in_flight(request, self.busy, self.writes)
            or idempotency.replay(request, self.known)
            or idempotency.item_in_flight(request, self.busy)
            or idempotency.expired(request, _without_plan(request, prepared), self.known, self.busy, self.writes)
            or _limit_reached(request, prepared)
        )
        if answered is not None:
            return answered
        return [self._item(request, item, planned) for item, planned in zip(request.items, prepared, strict=True)]

    def remember(self, request: AcceptRequest, result: AcceptResult) -> None:
        """Let the request's Idempotency-Key, if it has one, lead to this result."""
        if request.key is not None:
            self.writes.idempotency[request.key] = idempotency.idempotency_record(request, result, self.now)

    def _item(self, request: AcceptRequest, item: NotificationRequest | Refusal, planned: Prepared) -> ItemResult:
        if isinstance(item, Refusal):
            return item
        found = idempotency.existing(request, item, self.known, self.busy, self.writes)
        if found is not None:
            self._remember_item(request, item, found)
            return found
        if isinstance(planned, Refusal):
            return planned
        if planned is None:
            raise RuntimeError("an item that has no plan leads to no notification")  # idempotency.expired refused it
        notification_id = planned.notification.notification_id
        self.writes.notifications.append(planned.notification)
        self.writes.known[notification_id] = KnownNotification(
            notification_id=notification_id, producer=request.producer, tenant=item.tenant
        )
        self.writes.deliveries.extend(planned.deliveries)
        accepted = Accepted(notification_id)
        if item.dedup_key is not None:
            self._remember_item(request, item, accepted)
        return accepted

    def _remember_item(self, request: AcceptRequest, item: NotificationRequest, result: ItemResult) -> None:
        """Let the item's ``dedup_key`` lead to its notification, unless the key leads to one already."""
        key = request.dedup_key_of(item)
        if key is None or isinstance(result, Refusal) or key in self.known.dedup or key in self.writes.dedup:
            return
        self.writes.dedup[key] = idempotency.dedup_record(key, result.notification_id, self.now)


def _limit_reached(request: AcceptRequest, prepared: Sequence[Prepared]) -> Refusal | None:
    """A refusal of the whole request if it has an Idempotency-Key and its producer's limit is reached.

    Otherwise the Idempotency-Key would answer for a day with a refusal that was only temporary.
    """
    if request.key is None:
        return None
    return next((planned for planned in prepared if isinstance(planned, LimitReached)), None)


def _without_plan(request: AcceptRequest, prepared: Sequence[Prepared]) -> Iterator[NotificationRequest]:
    for item, planned in zip(request.items, prepared, strict=True):
        if planned is None and isinstance(item, NotificationRequest):
            yield item
