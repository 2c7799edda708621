"""What happens to a message when something changes before it is delivered, and to a notification after it arrived."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.stack_driver import StackDriver
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.e2e


def test_switching_a_channel_off_suppresses_messages_in_flight(driver: StackDriver) -> None:
    channel, token = "push", f"device-{uuid.uuid4().hex}"
    try:
        with driver.in_flight("push", lambda: driver.send(channel, token)) as in_flight:
            switch(driver, channel, enabled=False)
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
    eventually(lambda: driver.internals.switches().get(channel) is enabled, f"the switch of {channel} to be {enabled}")


def outcome(delivery: dict[str, Any]) -> tuple[str, str | None]:
    return delivery["status"], delivery["reason"]


def test_message_that_arrives_after_its_expiry_is_not_sent(driver: StackDriver) -> None:
    receiver = driver.new_receiver()
    expires_at = datetime.now(UTC) + timedelta(seconds=1)
    with driver.frozen_function("webhook"):
        notification_id = driver.send("webhook", receiver, expires_at=expires_at.isoformat())
        time.sleep(max(0.0, (expires_at - datetime.now(UTC)).total_seconds()))  # the expiry itself, no poll can help

    assert driver.closed_delivery(notification_id)["status"] == "expired"
    assert driver.arrivals(receiver) == []


def test_reading_a_notification_updates_the_live_inbox(driver: StackDriver) -> None:
    user_id = f"u-{uuid.uuid4().hex}"
    notification_id = driver.send("inapp", user_id=user_id)
    driver.closed_delivery(notification_id)
    assert driver.internals.inbox(user_id) == {notification_id: None}

    response = driver.api.post(f"/v1/notifications/{notification_id}/read").raise_for_status().json()

    read_at = eventually(lambda: driver.internals.inbox(user_id)[notification_id], "the entry to be read")
    assert read_at == datetime.fromisoformat(response["read_at"])


def test_read_command_published_with_its_notification_is_not_lost(driver: StackDriver) -> None:
    user_id = f"u-{uuid.uuid4().hex}"
    with driver.frozen(driver.internals.delivering):
        notification_id = driver.send("inapp", user_id=user_id)
        response = driver.api.post(f"/v1/notifications/{notification_id}/read").raise_for_status().json()

    assert driver.closed_delivery(notification_id)["status"] == "sent"
    read_at = eventually(lambda: driver.internals.inbox(user_id)[notification_id], "the entry to be read")
    assert read_at == datetime.fromisoformat(response["read_at"])
