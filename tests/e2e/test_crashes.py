"""Services die at the worst moment, killed or stopped, and nothing that was accepted is lost."""

from datetime import UTC, datetime

import pytest

from shared.topology import TOPOLOGY
from tests.e2e.internals import every_profile, own_server_only
from tests.e2e.stack_driver import StackDriver
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.e2e
WEBHOOKS = TOPOLOGY["webhook"].subscription


@every_profile
def test_sweeper_publishes_what_a_killed_publisher_had_only_committed(driver: StackDriver) -> None:
    receivers = [driver.new_receiver() for _ in range(20)]
    # Each worker of the relay hangs in its first publish; the rest waits behind them.
    with driver.internals.publishing_suspended():
        accepted = [driver.send("webhook", receiver) for receiver in receivers]
        driver.stack.kill("publisher")
        unpublished = driver.sql(
            "select 1 from deliveries where status = 'pending' and notification_id::text = any(%s)", accepted
        )
    assert len(unpublished) == len(accepted)

    driver.stack.restart("publisher")
    restarted_at = datetime.now(UTC)

    assert [driver.closed_delivery(each)["status"] for each in accepted] == ["sent"] * len(accepted)
    assert [len(driver.arrivals(receiver)) for receiver in receivers] == [1] * len(receivers)
    # A publish call that had left the process may have reached the transport. Everything else can only have been swept.
    published = [entry["at"] for each in accepted for entry in driver.events(each, "published")]
    swept = [at for at in published if datetime.fromisoformat(at) > restarted_at]
    assert len(swept) == len(published) >= len(accepted) // 2


@every_profile
def test_function_killed_before_its_record_sends_again_after_the_lease_as_possible_duplicate(
    driver: StackDriver,
) -> None:
    recipient = "timeout@sandbox.test"  # accepts the message, and does not respond
    notification_id = driver.send("email", recipient)
    eventually(lambda: driver.arrivals(recipient), "the provider to accept the message")
    driver.kill_and_restart("email")

    attempts = driver.wait_for_events(notification_id, "attempt", 2)
    assert {entry["detail"]["reason"] for entry in attempts} == {"claim_held"}
    assert len(driver.arrivals(recipient)) == 1
    assert driver.delivery(notification_id)["status"] == "queued"

    assert driver.internals.expire_lease(f"{driver.delivery(notification_id)['delivery_id']}.0")

    delivery = driver.closed_delivery(notification_id)
    assert (delivery["status"], delivery["possible_duplicate"]) == ("sent", True)
    assert [arrival["answered"] for arrival in driver.arrivals(recipient)] == [False, True]
    (sent,) = driver.events(notification_id, "sent")
    assert sent["detail"]["possible_duplicate"] is True


@own_server_only
def test_without_the_transport_a_notification_is_accepted_and_delivered_later(driver: StackDriver) -> None:
    receiver, server = driver.new_receiver(), driver.internals.transport_server
    driver.stack.stop(server)
    try:
        notification_id = driver.send("webhook", receiver)
        health = driver.api.get("/health")
        status_meanwhile = driver.delivery(notification_id)["status"]
    finally:
        driver.stack.restart(server)

    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    assert status_meanwhile == "pending"
    assert driver.closed_delivery(notification_id)["status"] == "sent"
    assert len(driver.arrivals(receiver)) == 1


@every_profile
def test_without_postgres_requests_get_503_and_outcomes_wait(driver: StackDriver) -> None:
    receiver = driver.new_receiver()
    driver.delay_provider("webhook", 2)
    in_flight = driver.send("webhook", receiver)
    key = f"{driver.delivery(in_flight)['delivery_id']}.0"
    eventually(lambda: key in driver.internals.claimed_keys(), "the function to be sending")
    publisher = driver.stack.child("publisher").process.pid
    refused_before = driver.internals.refusals(WEBHOOKS)
    driver.stack.stop("postgres")
    try:
        refused = driver.api.post(
            "/v1/notifications", json={"user_id": "u", "event_type": "e", "channels": ["inapp"], "payload": {}}
        )
        eventually(lambda: driver.arrivals(receiver), "the delivery in flight to arrive")
        if driver.internals.repeats_after_postgres_was_away:
            eventually(lambda: driver.internals.refusals(WEBHOOKS) > refused_before, "the function to give up")
    finally:
        driver.stack.restart("postgres")

    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
    assert int(refused.headers["retry-after"]) > 0
    eventually(lambda: driver.api.get("/health").status_code == 200, "the publisher to reconnect to Postgres")
    assert driver.closed_delivery(driver.send("inapp"))["status"] == "sent"
    if driver.internals.repeats_after_postgres_was_away:
        assert driver.internals.expire_lease(key)
        driver.internals.give_up_messages_of(driver.internals.service_of("webhook"))
    delivery = driver.closed_delivery(in_flight)
    assert delivery["status"] == "sent"
    assert delivery["possible_duplicate"] is driver.internals.repeats_after_postgres_was_away
    assert len(driver.arrivals(receiver)) == (2 if driver.internals.repeats_after_postgres_was_away else 1)
    assert driver.stack.child("publisher").process.pid == publisher
