"""The worker is killed again and again while it drains a backlog: nothing is missing, and duplicates are reported."""

import uuid
from collections import Counter

import pytest

from shared.outcomes import OPEN
from shared.topology import CHANNEL_TYPES
from tests.e2e.internals import postgres_only
from tests.e2e.stack_driver import StackDriver
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.e2e
DELIVERIES = 500
KILLS = 3


def statuses(driver: StackDriver, user_id: str) -> Counter[str]:
    rows = driver.sql(
        "select status from deliveries join notifications using (notification_id) where user_id = %s", user_id
    )
    return Counter(row["status"] for row in rows)


def wait_for_sent(driver: StackDriver, user_id: str, count: int) -> None:
    eventually(lambda: statuses(driver, user_id)["sent"] > count, f"more than {count} deliveries to be sent")


def send_backlog(driver: StackDriver, user_id: str) -> dict[str, str | None]:
    """Accept ``DELIVERIES`` notifications, each for a recipient of its own. Returns the recipients by notification."""
    hook = driver.new_receiver()
    items, sent_to = [], []
    for number in range(DELIVERIES):
        channel = CHANNEL_TYPES[number % len(CHANNEL_TYPES)]
        recipient = {
            "email": f"{user_id}-{number}@example.com",
            "sms": f"+4477{number:08}",
            "push": f"{user_id}-{number}",
            "webhook": f"{hook}-{number}",
        }.get(channel)
        to = {"to": {channel: recipient}} if recipient else {}
        items.append({"user_id": user_id, "event_type": "payment", "channels": [channel], "payload": {}} | to)
        sent_to.append(recipient)
    response = driver.api.post("/v1/notifications/batch", json=items).raise_for_status().json()
    assert response["accepted"] == DELIVERIES
    return {each["notification_id"]: to for each, to in zip(response["results"], sent_to, strict=True)}


@postgres_only
def test_worker_killed_three_times_loses_nothing_of_a_backlog(driver: StackDriver) -> None:
    user_id = f"crowd-{uuid.uuid4().hex}"
    for channel_type in ("email", "sms", "push", "webhook"):
        driver.delay_provider(channel_type, 0.2)  # so that each kill interrupts deliveries
    with driver.frozen("worker"):
        sent_to = send_backlog(driver, user_id)
        eventually(lambda: statuses(driver, user_id)["queued"] == DELIVERIES, "the backlog to be published")

    for kill in range(KILLS):
        wait_for_sent(driver, user_id, kill * DELIVERIES // (2 * KILLS))
        driver.stack.kill("worker")
        interrupted = driver.internals.claimed_keys()
        assert interrupted
        for key in interrupted:
            driver.internals.expire_lease(key)
        driver.internals.give_up_messages_of("worker")
        driver.stack.restart("worker")

    eventually(lambda: not OPEN & set(statuses(driver, user_id)), "every delivery to have an outcome")
    assert statuses(driver, user_id) == {"sent": DELIVERIES}
    rows = driver.sql(
        """
        select notification_id::text, possible_duplicate, kind
          from deliveries join notifications using (notification_id) where user_id = %s
        """,
        user_id,
    )
    arrivals = Counter(each["recipient"] for each in driver.all_arrivals())
    base = driver.stack.config.sandbox_url
    missing, unreported = [], []
    for row in rows:
        if recipient := sent_to[row["notification_id"]]:
            count = arrivals[recipient.removeprefix(base)]
            missing += [row] * (count == 0)
            unreported += [row] * (count > 1 and not row["possible_duplicate"])
    assert (missing, unreported) == ([], [])
    assert sum(row["possible_duplicate"] for row in rows) > 0, "no kill interrupted a delivery"
    inbox = {row["notification_id"] for row in rows if row["kind"] == "inapp"}
    assert set(driver.internals.inbox(user_id)) == inbox
    assert driver.sql("select from transport.messages where subscription not like 'delivery-outcomes%%'") == []
