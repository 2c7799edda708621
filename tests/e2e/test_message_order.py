"""Pub/Sub repeats, reorders and gives up: the person gets one, and the account only moves forward."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from google.pubsub_v1.types import PubsubMessage

from shared import outcomes
from shared.outcomes import Outcome, Result
from shared.topology import NOTIFICATIONS_TOPIC, OUTCOMES_TOPIC, TOPOLOGY
from tests.e2e.stack_driver import Journey, eventually
from tests.factories import NOON, make_outcome

pytestmark = pytest.mark.journey


def tomorrow() -> str:
    """A ``deliver_at`` for which nothing is sent while a test runs."""
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


def outcome_of(delivery: dict[str, str], result: Result, **fields: object) -> Outcome:
    return make_outcome(delivery_id=delivery["delivery_id"], round=delivery["round"], result=result, **fields)


def report(journey: Journey, *reported: Outcome) -> None:
    """Put outcomes on their topic by hand."""
    journey.publish(OUTCOMES_TOPIC, *(PubsubMessage(data=outcomes.encode(outcome)) for outcome in reported))


def test_a_message_that_comes_six_times_at_once_and_once_more_later_reaches_the_person_once(journey: Journey) -> None:
    number = f"+4477{uuid.uuid4().int % 10**8:08}"
    subscription = TOPOLOGY["sms"].subscription
    before = journey.pushes(subscription)
    journey.slow_down("sms", 0.5)  # so that the others come while the first holds the claim
    with journey.frozen("push_bridge"), journey.tapped(NOTIFICATIONS_TOPIC) as message_of:
        notification_id = journey.send("sms", number)
        message = message_of(notification_id)
        copy = PubsubMessage(data=message.data, attributes=message.attributes)
        journey.publish(NOTIFICATIONS_TOPIC, *[copy] * 5)

    assert journey.settled(notification_id)["status"] == "sent"
    eventually(lambda: acknowledged(journey, subscription) >= before.get("204", 0) + 6, "all six to be acknowledged")
    journey.publish(NOTIFICATIONS_TOPIC, copy)
    eventually(lambda: acknowledged(journey, subscription) >= before.get("204", 0) + 7, "the late one")

    assert len(journey.arrivals(number)) == 1
    assert journey.pushes(subscription).get("503", 0) > before.get("503", 0)  # a live claim was met
    assert journey.delivery(notification_id)["status"] == "sent"
    assert journey.delivery(notification_id)["possible_duplicate"] is False
    assert len(journey.events(notification_id, "sent")) == 1


def acknowledged(journey: Journey, subscription: str) -> int:
    return journey.pushes(subscription).get("204", 0)


def test_outcomes_that_come_twice_and_in_any_order_never_take_back_what_happened(journey: Journey) -> None:
    notification_id = journey.send("webhook", journey.receiver())
    delivery = journey.settled(notification_id)
    late: list[Result] = ["expired", "attempt", "failed", "delivered", "dead", "suppressed", "sent"]

    report(journey, *(outcome_of(delivery, result) for result in late * 2))

    for result in late:
        expected = 2 if result == "sent" else 1  # the true one and the late one; the repeated report is none
        assert len(journey.recorded(notification_id, result, expected)) == expected
    assert journey.delivery(notification_id)["status"] == "delivered"


def test_an_outcome_that_overtakes_all_before_it_is_not_undone_by_them(journey: Journey) -> None:
    notification_id = journey.send("webhook", journey.receiver(), deliver_at=tomorrow())
    delivery = journey.delivery(notification_id)

    for number, result in enumerate[Result](["delivered", "sent", "attempt", "dead"]):
        report(journey, outcome_of(delivery, result, at=NOON - timedelta(seconds=number)))
        journey.recorded(notification_id, result)
        assert journey.delivery(notification_id)["status"] == "delivered"


def test_an_outcome_of_an_earlier_round_and_one_of_nobody_change_nothing(journey: Journey) -> None:
    notification_id = journey.send("webhook", journey.receiver(), deliver_at=tomorrow())
    delivery = journey.delivery(notification_id)

    report(journey, make_outcome(result="dead"), outcome_of(delivery | {"round": 7}, "failed"))

    journey.recorded(notification_id, "failed")
    assert journey.delivery(notification_id)["status"] == "pending"


def test_a_provider_that_fails_every_time_ends_in_a_dead_row_with_its_reason_and_every_attempt(
    journey: Journey,
) -> None:
    number = "+15005550021"  # 429 every time
    notification_id = journey.send("sms", number)

    delivery = journey.settled(notification_id)

    assert (delivery["status"], delivery["reason"]) == ("dead", "attempts_used_up")
    assert journey.story(notification_id)["status"] == "failed"
    attempts = [entry["detail"] for entry in journey.events(notification_id, "attempt")]
    assert [attempt["attempt"] for attempt in attempts] == [1, 2, 3, 4, 5]
    assert {(attempt["provider"], attempt["reason"]) for attempt in attempts} == {("twilio", "rate_limited")}
    (dead,) = journey.events(notification_id, "dead")
    assert dead["detail"]["attempt"] == 5
    assert journey.arrivals(number) == []
