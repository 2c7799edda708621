"""What happens to a message when something changes before it is delivered, and to a notification after it arrived."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.stack_driver import StackDriver, eventually

pytestmark = pytest.mark.e2e


def test_switching_a_channel_off_suppresses_messages_in_flight(driver: StackDriver) -> None:
    channel, token = "push", f"device-{uuid.uuid4().hex}"
    with driver.frozen("push"):
        in_flight = driver.send(channel, token)
        eventually(lambda: driver.delivery(in_flight)["status"] == "queued", "the message to be published")
        switch(driver, channel, enabled=False)
    try:
        driver.kill_and_restart("push")  # an instance caches the switches for up to 15 s; a new one reads them
        too_late = driver.send(channel, token)
        assert outcome(driver.closed_delivery(in_flight)) == ("suppressed", "channel_off")
        assert outcome(driver.closed_delivery(too_late)) == ("suppressed", "channel_off")
        assert driver.arrivals(token) == []
    finally:
        switch(driver, channel, enabled=True)
        driver.kill_and_restart("push")


def switch(driver: StackDriver, channel: str, *, enabled: bool) -> None:
    """Switch the push channel on or off, and wait until the functions can read it."""
    body = {"channel_type": "push", "enabled": enabled}
    driver.api.put(f"/v1/channels/{channel}", json=body).raise_for_status()
    eventually(lambda: switches(driver).get(channel) is enabled, f"the switch of {channel} to be {enabled}")


def switches(driver: StackDriver) -> dict[str, bool]:
    document: dict[str, Any] = driver.ledger.collection("config").document("channels").get().to_dict() or {}
    channels: dict[str, bool] = document.get("channels", {})
    return channels


def outcome(delivery: dict[str, Any]) -> tuple[str, str | None]:
    return delivery["status"], delivery["reason"]


def test_message_that_arrives_after_its_expiry_is_not_sent(driver: StackDriver) -> None:
    receiver = driver.new_receiver()
    expires_at = datetime.now(UTC) + timedelta(seconds=1)
    with driver.frozen("webhook"):
        notification_id = driver.send("webhook", receiver, expires_at=expires_at.isoformat())
        time.sleep(max(0.0, (expires_at - datetime.now(UTC)).total_seconds()))  # the expiry itself, no poll can help

    assert driver.closed_delivery(notification_id)["status"] == "expired"
    assert driver.arrivals(receiver) == []


def test_reading_a_notification_updates_the_live_inbox(driver: StackDriver) -> None:
    user_id = f"u-{uuid.uuid4().hex}"
    notification_id = driver.send("inapp", user_id=user_id)
    driver.closed_delivery(notification_id)
    unread = eventually(lambda: driver.inbox_document(user_id, notification_id), "the inbox document")
    assert unread["read_at"] is None

    response = driver.api.post(f"/v1/notifications/{notification_id}/read").raise_for_status().json()

    read_at = eventually(lambda: inbox_read_at(driver, user_id, notification_id), "the inbox document to be read")
    assert read_at == datetime.fromisoformat(response["read_at"])


def test_read_command_published_with_its_notification_is_not_lost(driver: StackDriver) -> None:
    user_id = f"u-{uuid.uuid4().hex}"
    with driver.frozen("push_bridge"):
        notification_id = driver.send("inapp", user_id=user_id)
        response = driver.api.post(f"/v1/notifications/{notification_id}/read").raise_for_status().json()

    assert driver.closed_delivery(notification_id)["status"] == "sent"
    read_at = eventually(lambda: inbox_read_at(driver, user_id, notification_id), "the inbox document to be read")
    assert read_at == datetime.fromisoformat(response["read_at"])


def inbox_read_at(driver: StackDriver, user_id: str, notification_id: str) -> datetime | None:
    document = driver.inbox_document(user_id, notification_id)
    read_at: datetime | None = document["read_at"] if document else None
    return read_at
