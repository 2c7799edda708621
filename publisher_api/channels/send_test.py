"""A test send: a notification over the real path, and the wait for what becomes of it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from fastapi.concurrency import run_in_threadpool

from postgres.pool import Pool
from publisher_api.accept.model import AcceptRequest
from publisher_api.accept.parsing import parse
from publisher_api.channels.model import SendTest, SendTestResult
from publisher_api.hosting.backend import Backend
from publisher_api.notifications.model import NotificationDetail
from publisher_api.notifications.service import get_notification
from publisher_api.principal import EVERYTHING, Principal, Scope
from publisher_api.refusal import Refusal, overloaded

EVENT_TYPE = "channel_test"
WAIT_SECONDS = 15.0
_FIRST_LOOK_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0
_MAX_AT_ONCE = 8
# A test that fails for now is not repeated for hours.
_LIFETIME = timedelta(minutes=5)
_OPEN = ("pending", "queued")
_FAILED_ATTEMPTS = ("attempt", "deferred")


@dataclass(frozen=True, slots=True)
class SendTests:
    """Sends tests, a few at a time. While one waits it holds neither a thread nor a connection."""

    pool: Pool
    backend: Backend
    clock: Callable[[], datetime]
    wait_seconds: float = WAIT_SECONDS
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MAX_AT_ONCE))

    async def send(self, caller: Principal, slug: str, test: SendTest) -> SendTestResult:
        """Accept the test, and return its first result, or its state when the wait ends. Raises ``Refusal``."""
        caller.require(Scope.SEND)
        if self._places.locked():
            raise overloaded()
        async with self._places:
            began = time.monotonic()
            notification_id = await self._accept(caller, slug, test)
            detail = await self._result(notification_id, began + self.wait_seconds)
            return SendTestResult(
                notification_id=notification_id,
                finished=_is_finished(detail),
                waited_seconds=round(time.monotonic() - began, 3),
                look_at=f"/v1/notifications/{notification_id}",
                notification=detail,
            )

    async def _accept(self, caller: Principal, slug: str, test: SendTest) -> UUID:
        body = msgspec.json.encode(_notification(slug, test, self.clock() + _LIFETIME))
        answer = await self.backend.accept(AcceptRequest(caller.producer, [parse(body)], body=body))
        if isinstance(answer, Refusal):
            raise answer
        return UUID(answer.body["notification_id"])

    async def _result(self, notification_id: UUID, ends_at: float) -> NotificationDetail:
        pause = _FIRST_LOOK_SECONDS
        while True:
            detail = await run_in_threadpool(get_notification, self.pool, notification_id, EVERYTHING)
            left = ends_at - time.monotonic()
            if _has_result(detail, self.clock()) or left <= 0:
                return detail
            await asyncio.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _notification(slug: str, test: SendTest, expires_at: datetime) -> dict[str, Any]:
    notification: dict[str, Any] = {
        "user_id": test.user_id,
        "event_type": EVENT_TYPE,
        "channels": [slug],
        "payload": {"channel": slug},
        "expires_at": expires_at.isoformat(),
    }
    if test.to is not None:
        notification["to"] = {slug: test.to}
    if test.content is not None:
        notification["content"] = {slug: test.content}
    return notification


def _is_finished(detail: NotificationDetail) -> bool:
    return all(delivery.status not in _OPEN for delivery in detail.deliveries)


def _has_result(detail: NotificationDetail, now: datetime) -> bool:
    """Whether each delivery has ended, has failed once, or waits for quiet hours. What follows may be hours away."""
    failed = {entry.delivery_id for entry in detail.timeline if entry.event in _FAILED_ATTEMPTS}
    return all(
        delivery.status not in _OPEN or delivery.delivery_id in failed or delivery.due_at > now
        for delivery in detail.deliveries
    )
