"""A transport repeats, reorders and gives up messages: the recipient gets one, and a status only moves forward."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from google.pubsub_v1.types import PubsubMessage

from shared.outcomes import Outcome, Result
from shared.topology import NOTIFICATIONS_TOPIC, TOPOLOGY
from tests.e2e.internals import google_only
from tests.e2e.stack_driver import StackDriver
from tests.e2e.waiting import eventually
from tests.factories import NOON, make_outcome

pytestmark = pytest.mark.e2e


def tomorrow() -> str:
    """A ``deliver_at`` so late that nothing is sent during the test."""
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


def outcome_of(delivery: dict[str, str], result: Result, **fields: object) -> Outcome:
    return make_outcome(delivery_id=delivery["delivery_id"], round=delivery["round"], result=result, **fields)


def publish_outcomes(driver: StackDriver, *published: Outcome) -> None:
    """Publish outcomes as a function would."""
    driver.internals.publish_outcomes(published)


@google_only
def test_six_copies_at_once_and_a_late_one_reach_the_recipient_once(driver: StackDriver) -> None:
    number = f"+4477{uuid.uuid4().int % 10**8:08}"
    subscription = TOPOLOGY["sms"].subscription
    before = driver.google.pushes(subscription)
    driver.delay_provider("sms", 0.5)  # so that the other copies arrive while the first holds the claim
    with driver.frozen("push_bridge"), driver.google.listening(NOTIFICATIONS_TOPIC) as message_of:
        notification_id = driver.send("sms", number)
        message = message_of(notification_id)
        copy = PubsubMessage(data=message.data, attributes=message.attributes)
        driver.google.publish(NOTIFICATIONS_TOPIC, *[copy] * 5)

    assert driver.closed_delivery(notification_id)["status"] == "sent"
    eventually(
        lambda: acknowledged(driver, subscription) >= before.get("204", 0) + 6, "all six copies to be acknowledged"
    )
    driver.google.publish(NOTIFICATIONS_TOPIC, copy)
    eventually(
        lambda: acknowledged(driver, subscription) >= before.get("204", 0) + 7, "the late copy to be acknowledged"
    )

    assert len(driver.arrivals(number)) == 1
    assert driver.google.pushes(subscription).get("503", 0) > before.get("503", 0), "no copy met the claim of another"
    assert driver.delivery(notification_id)["status"] == "sent"
    assert driver.delivery(notification_id)["possible_duplicate"] is False
    assert len(driver.events(notification_id, "sent")) == 1


def acknowledged(driver: StackDriver, subscription: str) -> int:
    return driver.google.pushes(subscription).get("204", 0)


def test_repeated_and_reordered_outcomes_never_move_a_status_back(driver: StackDriver) -> None:
    notification_id = driver.send("webhook", driver.new_receiver())
    delivery = driver.closed_delivery(notification_id)
    late: list[Result] = ["expired", "attempt", "failed", "delivered", "dead", "suppressed", "sent"]

    publish_outcomes(driver, *(outcome_of(delivery, result) for result in late * 2))

    for result in late:
        expected = 2 if result == "sent" else 1  # the real one and ours; the timeline ignores the repeated outcome
        assert len(driver.wait_for_events(notification_id, result, expected)) == expected
    assert driver.delivery(notification_id)["status"] == "delivered"


def test_earlier_outcomes_do_not_undo_a_later_one_that_arrived_first(driver: StackDriver) -> None:
    notification_id = driver.send("webhook", driver.new_receiver(), deliver_at=tomorrow())
    delivery = driver.delivery(notification_id)

    for number, result in enumerate[Result](["delivered", "sent", "attempt", "dead"]):
        publish_outcomes(driver, outcome_of(delivery, result, at=NOON - timedelta(seconds=number)))
        driver.wait_for_events(notification_id, result)
        assert driver.delivery(notification_id)["status"] == "delivered"


def test_outcomes_of_another_round_and_of_an_unknown_delivery_change_no_status(driver: StackDriver) -> None:
    notification_id = driver.send("webhook", driver.new_receiver(), deliver_at=tomorrow())
    delivery = driver.delivery(notification_id)

    publish_outcomes(driver, make_outcome(result="dead"), outcome_of(delivery | {"round": 7}, "failed"))

    driver.wait_for_events(notification_id, "failed")
    assert driver.delivery(notification_id)["status"] == "pending"


@pytest.mark.usefixtures("closed_breakers")
def test_provider_that_always_fails_ends_in_a_dead_delivery_with_every_attempt(driver: StackDriver) -> None:
    number = "+15005550021"  # 429 for every attempt
    notification_id = driver.send("sms", number)

    delivery = driver.closed_delivery(notification_id)

    assert (delivery["status"], delivery["reason"]) == ("dead", "attempts_used_up")
    assert driver.notification(notification_id)["status"] == "failed"
    attempts = [entry["detail"] for entry in driver.events(notification_id, "attempt")]
    assert [attempt["attempt"] for attempt in attempts] == [1, 2, 3, 4, 5]
    assert {(attempt["provider"], attempt["reason"]) for attempt in attempts} == {("twilio", "rate_limited")}
    (dead,) = driver.events(notification_id, "dead")
    assert dead["detail"]["attempt"] == 5
    assert driver.arrivals(number) == []
