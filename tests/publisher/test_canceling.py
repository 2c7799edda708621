"""Canceling stops what waits for its time, and says what it was too late for."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

from publisher_api.deliveries import service
from publisher_api.outbox import store as outbox
from publisher_api.principal import EVERYTHING
from publisher_api.settings import Settings
from tests.publisher.running import LATER, Publisher
from tests.publisher.sweeping import Sweeping, accept_pending
from tests.publisher.topic import waiting_for

EMAIL_AND_SMS = {"channels": ["email", "sms"], "to": {"email": "ada@example.com", "sms": "+447700900123"}}


def test_a_scheduled_notification_is_canceled_and_the_timeline_says_why(publisher: Publisher) -> None:
    notification_id = publisher.accept(**EMAIL_AND_SMS, deliver_at=LATER)
    for _ in range(2):
        canceled = publisher.http.post(f"/v1/notifications/{notification_id}/cancel")
        assert (canceled.status_code, canceled.json()) == (200, {"stopped": 2, "gone": 0})
    found = publisher.http.get(f"/v1/notifications/{notification_id}").json()
    assert found["status"] == "canceled"
    assert [(each["status"], each["reason"]) for each in found["deliveries"]] == [
        ("canceled", "canceled_by_producer")
    ] * 2
    assert [each["event"] for each in found["timeline"]].count("canceled") == 2
    assert found["timeline"][-1]["detail"] == {"reason": "canceled_by_producer"}


def test_what_was_published_is_gone(publisher: Publisher) -> None:
    notification_id = publisher.accept(**EMAIL_AND_SMS)
    assert len(publisher.topic.deliveries(notification_id, count=2)) == 2
    waiting_for(
        lambda: {each["status"] for each in publisher.read(notification_id)["deliveries"]} == {"queued"},  # type: ignore[attr-defined]
        "the deliveries to be marked",
    )
    assert publisher.http.post(f"/v1/notifications/{notification_id}/cancel").json() == {"stopped": 0, "gone": 2}
    [delivery, _] = publisher.topic.deliveries(notification_id, count=2)
    publisher.report(delivery.delivery_id, "failed", reason="refused")
    assert publisher.http.post(f"/v1/notifications/{notification_id}/cancel").json() == {"stopped": 0, "gone": 1}


def test_a_suppressed_delivery_is_neither_stopped_nor_gone(publisher: Publisher) -> None:
    notification_id = publisher.accept(channels=["email", "inapp"], deliver_at=LATER)
    assert publisher.http.post(f"/v1/notifications/{notification_id}/cancel").json() == {"stopped": 1, "gone": 0}


def test_a_canceled_entry_never_reaches_the_inbox(publisher: Publisher) -> None:
    user = f"u-{uuid.uuid4().hex}"
    soon = datetime.now(UTC) + timedelta(seconds=1)
    notification_id = publisher.accept(user_id=user, deliver_at=soon.isoformat())
    assert publisher.http.post(f"/v1/notifications/{notification_id}/cancel").json()["stopped"] == 1
    kept = publisher.accept(user_id=user, deliver_at=soon.isoformat())
    assert len(publisher.topic.deliveries(kept)) == 1, "the sweep has passed"
    assert publisher.topic.deliveries(notification_id, count=0) == []
    unread = publisher.http.get("/v1/notifications/unread_count", params={"user_id": user}).json()["unread"]
    assert unread == 1


def test_an_unknown_notification_is_a_404(publisher: Publisher) -> None:
    assert publisher.http.post(f"/v1/notifications/{uuid.uuid4()}/cancel").status_code == 404


def test_a_delivery_that_a_sweep_has_claimed_is_gone(unswept: Settings, sweeping: Sweeping) -> None:
    notification_id = accept_pending(unswept, deliver_at=LATER)
    with sweeping.pool.connection() as connection:
        [claimed] = outbox.claim_due(connection, datetime.fromisoformat(LATER), 10)
    canceled = service.cancel(sweeping.pool, UUID(notification_id), EVERYTHING)
    assert (canceled.stopped, canceled.gone) == (0, 1)
    assert sweeping.sql("select delivery_id::text from deliveries where status = 'pending'") == [
        {"delivery_id": claimed.delivery_id}
    ]


def test_a_cancellation_and_a_sweep_at_the_same_time_agree(unswept: Settings, sweeping: Sweeping) -> None:
    due = datetime.fromisoformat(LATER)
    ids = [accept_pending(unswept, deliver_at=LATER) for _ in range(40)]
    together = threading.Barrier(2)

    def cancel() -> int:
        together.wait(20)
        return sum(service.cancel(sweeping.pool, UUID(each), EVERYTHING).stopped for each in ids)

    def sweep() -> int:
        together.wait(20)
        return sweeping.at(due)

    with ThreadPoolExecutor(2) as threads:
        stopped, published = threads.submit(cancel), threads.submit(sweep)
        assert stopped.result(30) + published.result(30) == len(ids)
    left = sweeping.sql("select status, count(*)::int from deliveries group by status")
    assert {row["status"]: row["count"] for row in left}.get("canceled", 0) == stopped.result()
