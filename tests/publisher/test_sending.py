"""POST /v1/notifications, from the request to the message on the topic."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.publisher.running import Publisher, notification, problem_of


def test_the_smallest_request_is_accepted_located_and_published(publisher: Publisher) -> None:
    body = b'{"user_id":"u1","event_type":"payment","channels":["inapp"],"payload":{"amount":10}}'
    response = publisher.http.post("/v1/notifications", content=body)
    assert response.status_code == 202
    notification_id = response.json()["notification_id"]
    assert response.json() == {"notification_id": notification_id, "status": "queued"}
    assert response.headers["location"] == f"/v1/notifications/{notification_id}"
    [message] = publisher.topic.deliveries(notification_id)
    assert (message.user_id, message.recipient, message.payload) == ("u1", "u1", {"amount": 10})
    assert message.content == {"title": "Payment", "body": "amount: 10"}


def test_each_channel_gets_its_own_message_and_push_one_for_each_device(publisher: Publisher) -> None:
    user = f"ada-{uuid.uuid4().hex[:6]}"
    publisher.http.put(f"/v1/users/{user}", json={"email": "Ada@Example.com", "phone": "+44 7700 900123"})
    for _ in range(2):
        device = {"token": uuid.uuid4().hex, "platform": "ios"}
        assert publisher.http.post(f"/v1/users/{user}/devices", json=device).status_code == 201
    to = {"webhook": "https://hooks.example.com/x"}
    notification_id = publisher.accept(
        user_id=user, channels=["inapp", "email", "sms", "push", "webhook"], payload={"amount": 10}, to=to
    )
    messages = publisher.topic.deliveries(notification_id, 6)
    assert sorted(message.channel_type for message in messages) == ["email", "inapp", "push", "push", "sms", "webhook"]
    recipients = {message.channel_type: message.recipient for message in messages}
    assert (recipients["email"], recipients["sms"]) == ("Ada@example.com", "+447700900123")
    assert recipients["webhook"] == "https://hooks.example.com/x"
    assert len({message.key for message in messages}) == 6


def test_a_channel_without_an_address_is_suppressed_with_a_reason(publisher: Publisher) -> None:
    notification_id = publisher.accept(channels=["email", "push"])
    found: Any = publisher.read(notification_id)
    assert {d["channel_type"]: (d["status"], d["reason"]) for d in found["deliveries"]} == {
        "email": ("suppressed", "no_address"),
        "push": ("suppressed", "no_device"),
    }
    assert [entry["event"] for entry in found["timeline"]] == ["accepted", "suppressed", "suppressed"]
    assert found["status"] == "failed"


def test_a_payload_of_any_json_arrives_unchanged(publisher: Publisher) -> None:
    payload = {"big": 10**30, "deep": [[{"a": None}]], "text": "Grüße 🎉 \u2028", "float": 0.1, "empty": {}}
    [message] = publisher.topic.deliveries(publisher.accept(payload=payload))
    assert message.payload == payload


def test_a_batch_has_a_result_for_each_item(publisher: Publisher) -> None:
    items = [notification(), notification(channels=["fax"]), notification(priority=-1), notification()]
    response = publisher.http.post("/v1/notifications/batch", json={"notifications": items})
    assert response.status_code == 202
    answer = response.json()
    assert (answer["accepted"], answer["rejected"]) == (2, 2)
    assert [result["status"] for result in answer["results"]] == ["queued", "rejected", "rejected", "queued"]
    assert answer["results"][2]["problem"]["errors"][0]["field"] == "notifications.2.priority"


def test_a_batch_has_at_most_a_thousand_items(publisher: Publisher) -> None:
    items = [notification() for _ in range(1001)]
    refused = publisher.http.post("/v1/notifications/batch", json=items)
    assert problem_of(refused) == (422, "invalid_request", ["notifications"])
    answer = publisher.http.post("/v1/notifications/batch", json=items[:1000]).json()
    assert answer["accepted"] == 1000
    ids = [result["notification_id"] for result in answer["results"]]
    [row] = publisher.sql("select count(*) from notifications where notification_id = any(%s::uuid[])", ids)
    assert row["count"] == 1000


def test_a_batch_in_which_nothing_is_accepted_is_a_422(publisher: Publisher) -> None:
    response = publisher.http.post(
        "/v1/notifications/batch", json={"notifications": [notification(channels=["fax"]), 7]}
    )
    assert (response.status_code, response.json()["accepted"]) == (422, 0)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "urn:heliograph:problem:nothing_accepted"


def test_an_idempotency_key_gives_the_stored_answer(publisher: Publisher) -> None:
    headers, body = {"Idempotency-Key": uuid.uuid4().hex}, notification()
    first = publisher.http.post("/v1/notifications", json=body, headers=headers)
    second = publisher.http.post("/v1/notifications", json=body, headers=headers)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert (first.headers.get("idempotent-replayed"), second.headers["idempotent-replayed"]) == (None, "true")
    other = publisher.http.post("/v1/notifications", json=notification(priority=7), headers=headers)
    assert (other.status_code, other.json()["type"]) == (422, "urn:heliograph:problem:idempotency_key_reused")


def test_requests_with_one_idempotency_key_at_once_make_one_notification(publisher: Publisher) -> None:
    headers, body = {"Idempotency-Key": uuid.uuid4().hex}, notification(user_id=f"once-{uuid.uuid4().hex}")
    with ThreadPoolExecutor(16) as threads:
        answers = list(
            threads.map(lambda _: publisher.http.post("/v1/notifications", json=body, headers=headers), range(32))
        )
    refused = [answer for answer in answers if answer.status_code != 202]
    assert [problem_of(answer) for answer in refused] == [(409, "in_flight", [])] * len(refused)
    assert len({answer.json()["notification_id"] for answer in answers if answer.status_code == 202}) == 1
    rows = publisher.sql("select count(*) from notifications where user_id = %s", body["user_id"])
    assert rows[0]["count"] == 1


def test_a_refused_request_leaves_its_idempotency_key_free(publisher: Publisher) -> None:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    assert (
        publisher.http.post("/v1/notifications", json=notification(channels=["fax"]), headers=headers).status_code
        == 422
    )
    assert publisher.http.post("/v1/notifications", json=notification(), headers=headers).status_code == 202


def test_a_batch_with_an_idempotency_key_gets_the_stored_answer(publisher: Publisher) -> None:
    headers, items = {"Idempotency-Key": uuid.uuid4().hex}, [notification(), notification(channels=["fax"])]
    answers = [publisher.http.post("/v1/notifications/batch", json=items, headers=headers).json() for _ in range(2)]
    assert answers[0] == answers[1]


def test_a_dedup_key_leads_to_the_first_notification(publisher: Publisher) -> None:
    key = uuid.uuid4().hex
    first = publisher.http.post("/v1/notifications", json=notification(dedup_key=key)).json()
    second = publisher.http.post("/v1/notifications", json=notification(dedup_key=key)).json()
    assert second == {**first, "duplicate": True}


def test_a_dedup_key_used_at_once_makes_one_notification(publisher: Publisher) -> None:
    key, user = uuid.uuid4().hex, f"dedup-{uuid.uuid4().hex}"
    body = notification(dedup_key=key, user_id=user)
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: publisher.http.post("/v1/notifications", json=body).json(), range(32)))
    assert len({answer["notification_id"] for answer in answers}) == 1
    assert sum("duplicate" not in answer for answer in answers) == 1


def test_a_dedup_key_is_free_again_after_its_window(publisher: Publisher) -> None:
    key = uuid.uuid4().hex
    first = publisher.http.post("/v1/notifications", json=notification(dedup_key=key)).json()
    publisher.sql("update dedup_keys set expires_at = now() - interval '1 second' where dedup_key = %s", key)
    second = publisher.http.post("/v1/notifications", json=notification(dedup_key=key)).json()
    assert second["notification_id"] != first["notification_id"]
    assert "duplicate" not in second


def test_a_scheduled_notification_is_published_by_the_sweeper(publisher: Publisher) -> None:
    deliver_at = datetime.now(UTC) + timedelta(hours=2)
    notification_id = publisher.accept(deliver_at=deliver_at.isoformat())
    [row] = publisher.sql("select status, due_at from deliveries where notification_id = %s", notification_id)
    assert (row["status"], row["due_at"]) == ("pending", deliver_at)
    publisher.sql(
        "update deliveries set due_at = now(), sweep_at = now() where notification_id = %s", notification_id
    )  # two hours later
    [message] = publisher.topic.deliveries(notification_id)
    assert message.notification_id == notification_id


def test_a_template_is_rendered_before_it_is_accepted(publisher: Publisher) -> None:
    name = f"t{uuid.uuid4().hex[:8]}"
    words = {
        "email": {"subject": "{{ amount }} & more", "text": "Hi {{ user.user_id }}", "html": "<b>{{ amount }}</b>"}
    }
    assert publisher.http.put(f"/v1/templates/{name}", json={"content": words}).status_code == 200
    sent = {"channels": ["email"], "template_name": name, "to": {"email": "a@example.com"}, "user_id": "bo"}
    [message] = publisher.topic.deliveries(publisher.accept(**sent, payload={"amount": "<5>"}))
    assert message.content == {"subject": "<5> & more", "text": "Hi bo", "html": "<b>&lt;5&gt;</b>"}
    refused = publisher.http.post("/v1/notifications", json=notification(**sent)).json()
    assert refused["type"] == "urn:heliograph:problem:template_failed"
    assert "'amount' is undefined" in refused["errors"][0]["message"]


def test_a_traceparent_travels_with_the_message(publisher: Publisher) -> None:
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    response = publisher.http.post("/v1/notifications", json=notification(), headers={"traceparent": traceparent})
    [message] = publisher.topic.deliveries(response.json()["notification_id"])
    assert message.traceparent == traceparent


def test_a_batch_may_be_larger_than_one_notification_up_to_8_mb(publisher: Publisher) -> None:
    items = [notification(payload={"x": "y" * 20_000}) for _ in range(40)]
    assert publisher.http.post("/v1/notifications/batch", json=items).json()["accepted"] == 40
    refused = publisher.http.post("/v1/notifications/batch", content=b"[" + b" " * 8 * 1024 * 1024)
    assert problem_of(refused) == (413, "too_large", ["body"])
