"""POST /internal/outcomes: who may report outcomes, and what an outcome changes."""

import base64
import itertools
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import DictRow

from shared.outcomes import MOVES, OPEN, STATUSES, Outcome, Result, encode
from tests.publisher.running import AUDIENCE, LATER, Publisher, problem_of
from tests.publisher.topic import waiting_for

pytestmark = pytest.mark.emulators
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def push(publisher: Publisher, data: bytes, token: str | None = None) -> httpx.Response:
    token = publisher.signer.token(AUDIENCE, time.time()) if token is None else token
    body = {"message": {"data": base64.b64encode(data).decode(), "messageId": "1"}, "subscription": "s"}
    return httpx.post(
        f"{publisher.url}/internal/outcomes", json=body, headers={"Authorization": f"Bearer {token}"} if token else {}
    )


def outcome_of(delivery_id: str, result: Result = "sent", seconds: int = 0, **fields: Any) -> Outcome:
    return Outcome(
        notification_id=str(uuid.uuid4()),
        delivery_id=delivery_id,
        round=fields.pop("round", 0),
        result=result,
        at=NOW + timedelta(seconds=seconds),
        **fields,
    )


def report(publisher: Publisher, delivery_id: str, result: Result, seconds: int = 0, **fields: Any) -> None:
    outcome = outcome_of(delivery_id, result, seconds, **fields)
    assert push(publisher, encode(outcome)).status_code == 204


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
    report(publisher, arrived, "sent")
    publisher.http.post("/v1/notifications/bulk/read", json={"user_id": user, "all": True}).raise_for_status()
    [command] = publisher.topic.commands(user)
    assert (command.command, command.notification_ids) == ("read_all", [on_its_way])


def test_outcomes_appear_in_the_timeline(publisher: Publisher) -> None:
    notification_id, delivery_id = accepted(publisher, channels=["email"], to={"email": "ada@example.com"})
    report(publisher, delivery_id, "attempt", 1, reason="rate_limited", provider="sendgrid", attempt=1)
    report(
        publisher,
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
        reporting = thread.submit(report, publisher, delivery_id, "sent")
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
        report(publisher, delivery_id, "sent")
    story: Any = publisher.read(notification_id)
    assert [entry["event"] for entry in story["timeline"]].count("sent") == 1


@pytest.mark.parametrize(("first", "then"), list(itertools.permutations(["sent", "failed", "dead", "expired"], 2)))
def test_a_late_outcome_moves_the_status_only_as_the_table_allows(
    publisher: Publisher, first: Result, then: Result
) -> None:
    _, delivery_id = accepted(publisher)
    report(publisher, delivery_id, first, 1)
    report(publisher, delivery_id, then, 2)
    assert status(publisher, delivery_id) == (then if (first, then) in MOVES else first)


def test_a_failed_attempt_moves_no_status(publisher: Publisher) -> None:
    _, delivery_id = accepted(publisher)
    report(publisher, delivery_id, "attempt")
    assert status(publisher, delivery_id) in OPEN


@pytest.mark.parametrize("late", ["sent", "attempt", "failed"])
def test_a_possible_duplicate_reported_after_sent_reaches_the_delivery(publisher: Publisher, late: Result) -> None:
    notification_id, delivery_id = accepted(publisher)
    report(publisher, delivery_id, "sent", provider="sendgrid", provider_message_id="first")
    report(publisher, delivery_id, late, 1, possible_duplicate=True, provider="smtp", reason="unconfirmed")
    found: Any = publisher.read(notification_id)
    [delivery] = found["deliveries"]
    assert delivery["possible_duplicate"] is True
    assert (delivery["status"], delivery["reason"]) == ("sent", None)
    assert (delivery["provider"], delivery["provider_message_id"]) == ("sendgrid", "first")


def test_an_outcome_of_an_earlier_round_moves_no_status(publisher: Publisher) -> None:
    _, delivery_id = accepted(publisher)
    report(publisher, delivery_id, "failed")
    publisher.sql("update deliveries set status = 'pending', round = 1 where delivery_id = %s", delivery_id)
    report(publisher, delivery_id, "sent", 1, round=0)
    assert status(publisher, delivery_id) in OPEN
    report(publisher, delivery_id, "sent", 2, round=1)
    assert status(publisher, delivery_id) == "sent"


def test_an_outcome_of_an_unknown_delivery_is_acknowledged(publisher: Publisher) -> None:
    report(publisher, str(uuid.uuid4()), "sent")  # checks for 204: anything else makes Pub/Sub deliver it for a day


def test_an_unregistered_token_is_deleted(publisher: Publisher) -> None:
    user, token = f"u-{uuid.uuid4().hex}", uuid.uuid4().hex
    publisher.http.post(f"/v1/users/{user}/devices", json={"token": token, "platform": "web"})
    _, delivery_id = accepted(publisher, user_id=user, channels=["push"])
    report(publisher, delivery_id, "failed", reason="unregistered")
    assert publisher.http.get(f"/v1/users/{user}").json()["devices"] == []


def test_a_notification_that_missed_the_inbox_is_not_unread(publisher: Publisher) -> None:
    user = f"u-{uuid.uuid4().hex}"
    _, delivery_id = accepted(publisher, user_id=user)
    unread = f"/v1/notifications/unread_count?user_id={user}"
    assert publisher.http.get(unread).json()["unread"] == 1
    report(publisher, delivery_id, "dead")
    assert publisher.http.get(unread).json()["unread"] == 0
    report(publisher, delivery_id, "sent", 1)  # it did reach the inbox, at the last attempt
    assert publisher.http.get(unread).json()["unread"] == 1


def test_an_outcome_that_cannot_be_decoded_is_a_400(publisher: Publisher) -> None:
    assert problem_of(push(publisher, b"{"))[:2] == (400, "malformed_request")


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


def _token(publisher: Publisher, case: str) -> str:
    now = time.time()
    match case:
        case "none":
            return ""
        case "expired":
            return publisher.signer.token(AUDIENCE, now - 7200)
        case "another audience":
            return publisher.signer.token("https://elsewhere.test", now)
        case "another account":
            return type(publisher.signer)("other@x.test", publisher.signer.key, publisher.signer.key_id).token(
                AUDIENCE, now
            )
        case "another key":
            return type(publisher.signer)(publisher.signer.service_account).token(AUDIENCE, now)
        case _:
            return publisher.api_key


@pytest.mark.parametrize(
    "case", ["none", "expired", "another audience", "another account", "another key", "an API key"]
)
def test_a_push_without_googles_signature_for_us_is_refused(publisher: Publisher, case: str) -> None:
    _, delivery_id = accepted(publisher)
    outcome = Outcome(notification_id="n", delivery_id=delivery_id, round=0, result="sent", at=NOW)
    response = push(publisher, encode(outcome), _token(publisher, case))
    assert (response.status_code, response.headers["content-type"]) == (401, "application/problem+json")
    assert status(publisher, delivery_id) in OPEN
