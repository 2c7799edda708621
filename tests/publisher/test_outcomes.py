"""What an outcome changes, in every profile."""

import itertools
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.outcomes import MOVES, OPEN, STATUSES, Result
from tests.publisher.running import LATER, NOW, Publisher
from tests.publisher.topic import waiting_for


@pytest.fixture
def publisher(each_publisher: Publisher) -> Publisher:
    return each_publisher


def accepted(publisher: Publisher, **fields: Any) -> tuple[str, str]:
    """A notification with one delivery that is queued: their ids."""
    notification_id = publisher.accept(**fields)
    [message] = publisher.topic.deliveries(notification_id)
    return notification_id, message.delivery_id


def status(publisher: Publisher, delivery_id: str) -> str:
    [row] = publisher.sql("select status from deliveries where delivery_id = %s", delivery_id)
    found: str = row["status"]
    return found


def test_read_all_names_only_what_has_not_arrived_yet(publisher: Publisher) -> None:
    user = f"u-{uuid.uuid4().hex}"
    _, arrived = accepted(publisher, user_id=user)
    on_its_way, _ = accepted(publisher, user_id=user)
    publisher.report(arrived, "sent")
    publisher.http.post("/v1/notifications/bulk/read", json={"user_id": user, "all": True}).raise_for_status()
    [command] = publisher.topic.commands(user)
    assert (command.command, command.notification_ids) == ("read_all", [on_its_way])


def test_outcomes_appear_in_the_timeline(publisher: Publisher) -> None:
    notification_id, delivery_id = accepted(publisher, channels=["email"], to={"email": "ada@example.com"})
    publisher.report(delivery_id, "attempt", 1, reason="rate_limited", provider="sendgrid", attempt=1)
    publisher.report(
        delivery_id,
        "sent",
        2,
        provider="sendgrid",
        provider_message_id="sg-1",
        attempt=2,
        received_at=NOW + timedelta(seconds=1, milliseconds=500),
        possible_duplicate=True,
    )
    story: Any = publisher.read(notification_id)
    [delivery] = story["deliveries"]
    assert story["status"] == "delivered"
    assert (delivery["status"], delivery["provider_message_id"], delivery["recipient"]) == (
        "sent",
        "sg-1",
        "a***@example.com",
    )
    assert delivery["possible_duplicate"] is True
    events = [entry["event"] for entry in story["timeline"]]
    assert sorted(events) == sorted(
        ["accepted", "planned", "published", "attempt", "recorded", "received", "sent", "recorded"]
    )
    [attempt] = [entry for entry in story["timeline"] if entry["event"] == "attempt"]
    assert attempt["detail"] == {"attempt": 1, "reason": "rate_limited", "provider": "sendgrid"}


def test_an_outcome_that_waits_for_its_delivery_to_be_marked_as_queued_moves_it(publisher: Publisher) -> None:
    notification_id = publisher.accept(deliver_at=LATER)
    [row] = publisher.sql("select delivery_id::text from deliveries where notification_id = %s", notification_id)
    delivery_id = row["delivery_id"]
    with ThreadPoolExecutor(1) as thread, psycopg.connect(publisher.database_url) as relay:
        relay.execute("update deliveries set status = 'queued' where delivery_id = %s", [delivery_id])
        reporting = thread.submit(publisher.report, delivery_id, "sent")
        waiting_for(lambda: blocked_statements(publisher), "the outcome to wait for the row")
        relay.commit()
        reporting.result()
    assert status(publisher, delivery_id) == "sent"


def blocked_statements(publisher: Publisher) -> list[DictRow]:
    return publisher.sql(
        "select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%%delivery_events%%'"
    )


def test_the_same_outcome_twice_is_one_event(publisher: Publisher) -> None:
    notification_id, delivery_id = accepted(publisher)
    for _ in range(3):
        publisher.report(delivery_id, "sent")
    story: Any = publisher.read(notification_id)
    assert [entry["event"] for entry in story["timeline"]].count("sent") == 1


@pytest.mark.parametrize(("first", "then"), list(itertools.permutations(["sent", "failed", "dead", "expired"], 2)))
def test_a_late_outcome_moves_the_status_only_as_the_table_allows(
    publisher: Publisher, first: Result, then: Result
) -> None:
    _, delivery_id = accepted(publisher)
    publisher.report(delivery_id, first, 1)
    publisher.report(delivery_id, then, 2)
    assert status(publisher, delivery_id) == (then if (first, then) in MOVES else first)


def test_a_failed_attempt_moves_no_status(publisher: Publisher) -> None:
    _, delivery_id = accepted(publisher)
    publisher.report(delivery_id, "attempt")
    assert status(publisher, delivery_id) in OPEN


@pytest.mark.parametrize("late", ["sent", "attempt", "failed"])
def test_a_possible_duplicate_reported_after_sent_reaches_the_delivery(publisher: Publisher, late: Result) -> None:
    notification_id, delivery_id = accepted(publisher)
    publisher.report(delivery_id, "sent", provider="sendgrid", provider_message_id="first")
    publisher.report(delivery_id, late, 1, possible_duplicate=True, provider="smtp", reason="unconfirmed")
    found: Any = publisher.read(notification_id)
    [delivery] = found["deliveries"]
    assert delivery["possible_duplicate"] is True
    assert (delivery["status"], delivery["reason"]) == ("sent", None)
    assert (delivery["provider"], delivery["provider_message_id"]) == ("sendgrid", "first")


def test_an_outcome_of_an_earlier_round_moves_no_status(publisher: Publisher) -> None:
    _, delivery_id = accepted(publisher)
    publisher.report(delivery_id, "failed")
    publisher.sql("update deliveries set status = 'pending', round = 1 where delivery_id = %s", delivery_id)
    publisher.report(delivery_id, "sent", 1, round=0)
    assert status(publisher, delivery_id) in OPEN
    publisher.report(delivery_id, "sent", 2, round=1)
    assert status(publisher, delivery_id) == "sent"


def test_an_outcome_of_an_unknown_delivery_is_acknowledged(publisher: Publisher) -> None:
    publisher.report(str(uuid.uuid4()), "sent")  # returns when it is settled: it is not delivered again


def test_an_unregistered_token_is_deleted(publisher: Publisher) -> None:
    user, token = f"u-{uuid.uuid4().hex}", uuid.uuid4().hex
    publisher.http.post(f"/v1/users/{user}/devices", json={"token": token, "platform": "web"})
    _, delivery_id = accepted(publisher, user_id=user, channels=["push"])
    publisher.report(delivery_id, "failed", reason="unregistered")
    assert publisher.http.get(f"/v1/users/{user}").json()["devices"] == []


def test_a_notification_that_missed_the_inbox_is_not_unread(publisher: Publisher) -> None:
    user = f"u-{uuid.uuid4().hex}"
    _, delivery_id = accepted(publisher, user_id=user)
    unread = f"/v1/notifications/unread_count?user_id={user}"
    assert publisher.http.get(unread).json()["unread"] == 1
    publisher.report(delivery_id, "dead")
    assert publisher.http.get(unread).json()["unread"] == 0
    publisher.report(delivery_id, "sent", 1)  # it did reach the inbox, at the last attempt
    assert publisher.http.get(unread).json()["unread"] == 1


def test_postgres_allows_the_same_moves_as_the_table_in_the_code(publisher: Publisher) -> None:
    rows = publisher.sql("select before, after from delivery_moves")
    assert {(row["before"], row["after"]) for row in rows} == MOVES


def test_postgres_refuses_a_move_that_is_not_in_the_table(publisher: Publisher) -> None:
    _, delivery_id = accepted(publisher)
    publisher.sql("update deliveries set status = 'sent' where delivery_id = %s", delivery_id)
    refused = [after for after in STATUSES if ("sent", after) not in MOVES and after != "sent"]
    assert {"pending", "failed"} <= set(refused)
    for after in refused:
        with pytest.raises(psycopg.errors.CheckViolation):
            publisher.sql("update deliveries set status = %s where delivery_id = %s", after, delivery_id)
