"""What changes while a message is under way, and what is done to it after it has arrived."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.stack_driver import Journey, eventually

pytestmark = pytest.mark.journey


def test_a_channel_that_is_switched_off_suppresses_what_is_in_flight(journey: Journey) -> None:
    slug, token = "push", f"device-{uuid.uuid4().hex}"
    with journey.frozen("push"):
        in_flight = journey.send(slug, token)
        eventually(lambda: journey.delivery(in_flight)["status"] == "queued", "the message to be on its way")
        journey.api.put(f"/v1/channels/{slug}", json={"kind": "push", "enabled": False}).raise_for_status()
        eventually(lambda: switchboard(journey).get(slug) is False, "the functions' switchboard")
    try:
        journey.kill_and_restart("push")  # an instance remembers the switchboard for up to 15 s; a new one does not
        too_late = journey.send(slug, token)
        assert outcome(journey.settled(in_flight)) == ("suppressed", "channel_off")
        assert outcome(journey.settled(too_late)) == ("suppressed", "channel_off")
        assert journey.arrivals(token) == []
    finally:
        journey.api.put(f"/v1/channels/{slug}", json={"kind": "push", "enabled": True}).raise_for_status()
        eventually(lambda: switchboard(journey).get(slug) is True, "the functions' switchboard")
        journey.kill_and_restart("push")


def switchboard(journey: Journey) -> dict[str, bool]:
    fields: dict[str, Any] = journey.firestore.collection("config").document("channels").get().to_dict() or {}
    table: dict[str, bool] = fields.get("channels", {})
    return table


def outcome(delivery: dict[str, Any]) -> tuple[str, str | None]:
    return delivery["status"], delivery["reason"]


def test_a_message_that_comes_after_its_expiry_is_not_sent(journey: Journey) -> None:
    receiver = journey.receiver()
    expires_at = datetime.now(UTC) + timedelta(seconds=1)
    with journey.frozen("webhook"):
        notification_id = journey.send("webhook", receiver, expires_at=expires_at.isoformat())
        time.sleep(max(0.0, (expires_at - datetime.now(UTC)).total_seconds()))

    assert journey.settled(notification_id)["status"] == "expired"
    assert journey.arrivals(receiver) == []


def test_reading_a_notification_reaches_the_live_inbox(journey: Journey) -> None:
    user_id = f"u-{uuid.uuid4().hex}"
    notification_id = journey.send("inapp", user_id=user_id)
    journey.settled(notification_id)
    unread = eventually(lambda: journey.inbox_document(user_id, notification_id), "the inbox document")
    assert unread["read_at"] is None

    answer = journey.api.post(f"/v1/notifications/{notification_id}/read").raise_for_status().json()

    read_at = eventually(lambda: read(journey, user_id, notification_id), "the inbox to show it as read")
    assert read_at == datetime.fromisoformat(answer["read_at"])


def test_a_reading_that_travels_beside_its_notification_is_not_lost(journey: Journey) -> None:
    user_id = f"u-{uuid.uuid4().hex}"
    with journey.frozen("push_bridge"):
        notification_id = journey.send("inapp", user_id=user_id)
        journey.api.post(f"/v1/notifications/{notification_id}/read").raise_for_status()

    assert journey.settled(notification_id)["status"] == "sent"
    eventually(lambda: read(journey, user_id, notification_id), "the inbox to show it as read")


def read(journey: Journey, user_id: str, notification_id: str) -> datetime | None:
    document = journey.inbox_document(user_id, notification_id)
    read_at: datetime | None = document["read_at"] if document else None
    return read_at
