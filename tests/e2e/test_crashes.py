"""Parts die at the worst moment, by SIGKILL or by going away, and nothing that was accepted is missing afterwards."""

from datetime import UTC, datetime

import pytest

from tests.e2e.stack_driver import Journey, eventually

pytestmark = pytest.mark.journey


def test_what_a_killed_publisher_had_committed_and_not_published_is_swept_up_after_its_restart(
    journey: Journey,
) -> None:
    receivers = [journey.receiver() for _ in range(20)]
    with journey.frozen("pubsub"):  # the relay's workers wait for it with their first message, all others behind them
        accepted = [journey.send("webhook", receiver) for receiver in receivers]
        journey.stack.kill("publisher")
        unpublished = journey.sql(
            "select 1 from deliveries where status = 'pending' and notification_id::text = any(%s)", accepted
        )
    assert len(unpublished) == len(accepted)

    journey.stack.restart("publisher")
    restarted_at = datetime.now(UTC)

    assert [journey.settled(each)["status"] for each in accepted] == ["sent"] * len(accepted)
    assert [len(journey.arrivals(receiver)) for receiver in receivers] == [1] * len(receivers)
    # What had left the process may have got through to Pub/Sub; what had not can only have been swept up.
    published = [entry["at"] for each in accepted for entry in journey.events(each, "published")]
    swept = [at for at in published if datetime.fromisoformat(at) > restarted_at]
    assert len(swept) == len(published) >= len(accepted) // 2


def test_a_function_killed_between_the_answer_and_its_record_sends_again_only_after_the_lease_and_says_so(
    journey: Journey,
) -> None:
    recipient = "timeout@sandbox.test"  # takes the message, and its answer never comes
    notification_id = journey.send("email", recipient)
    eventually(lambda: journey.arrivals(recipient), "the provider to take the message")
    journey.kill_and_restart("email")

    held = journey.recorded(notification_id, "attempt", 2)
    assert {entry["detail"]["reason"] for entry in held} == {"claim_held"}
    assert len(journey.arrivals(recipient)) == 1
    assert journey.delivery(notification_id)["status"] == "queued"

    journey.let_the_lease_pass(f"{journey.delivery(notification_id)['delivery_id']}.0")

    delivery = journey.settled(notification_id)
    assert (delivery["status"], delivery["possible_duplicate"]) == ("sent", True)
    assert [arrival["answered"] for arrival in journey.arrivals(recipient)] == [False, True]
    (sent,) = journey.events(notification_id, "sent")
    assert sent["detail"]["possible_duplicate"] is True


def test_without_pubsub_a_notification_is_accepted_and_delivered_when_it_is_back(journey: Journey) -> None:
    receiver = journey.receiver()
    journey.stack.stop("pubsub")
    try:
        notification_id = journey.send("webhook", receiver)
        health = journey.api.get("/health")
    finally:
        journey.stack.restart("pubsub")

    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    assert journey.settled(notification_id)["status"] == "sent"
    assert len(journey.arrivals(receiver)) == 1


def test_without_postgres_nothing_is_accepted_and_an_outcome_waits_until_it_is_back(journey: Journey) -> None:
    receiver = journey.receiver()
    journey.slow_down("webhook", 2)
    in_flight = journey.send("webhook", receiver)
    publisher = journey.stack.child("publisher").process.pid
    journey.stack.stop("postgres")
    try:
        refused = journey.api.post(
            "/v1/notifications", json={"user_id": "u", "event_type": "e", "channels": ["inapp"], "payload": {}}
        )
        eventually(lambda: journey.arrivals(receiver), "the delivery that was in flight")
    finally:
        journey.stack.restart("postgres")

    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
    assert int(refused.headers["retry-after"]) > 0
    eventually(lambda: journey.api.get("/health").status_code == 200, "the publisher to find Postgres again")
    assert journey.settled(journey.send("inapp"))["status"] == "sent"
    assert journey.settled(in_flight)["status"] == "sent"
    assert len(journey.arrivals(receiver)) == 1
    assert journey.stack.child("publisher").process.pid == publisher
