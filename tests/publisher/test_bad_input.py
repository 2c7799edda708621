"""Bad input over HTTP is a problem that names the field, and never a 500. (The lists of bad input: tests/unit.)"""

import json
from datetime import UTC, datetime, timedelta

import pytest

from publisher_api.json_body import MAX_DEPTH
from tests.publisher.running import LATER, Publisher, notification, problem_of

NOW = datetime.now(UTC)


def nested(levels: int) -> dict[str, object]:
    value: dict[str, object] = {}
    for _ in range(levels - 1):
        value = {"in": value}
    return value


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"channels": ["carrier-pigeon"]}, "unknown_channel", "channels.0"),
        ({"template_name": "no-such"}, "unknown_template", "template_name"),
        ({"priority": 1001}, "invalid_request", "priority"),
        ({"payload": {"text": "\x00"}}, "invalid_request", "payload"),
        ({"channels": ["email"], "to": {"email": "nobody"}}, "invalid_request", "to.email"),
        ({"deliver_at": "9999-12-31T23:59:59Z"}, "invalid_request", "deliver_at"),
        ({"created_at": (NOW + timedelta(days=1)).isoformat()}, "invalid_request", "created_at"),
        ({"created_at": (NOW - timedelta(days=367)).isoformat()}, "invalid_request", "created_at"),
        ({"created_at": "2026-01-01T00:00:00"}, "invalid_request", "created_at"),
        ({"content": {"inapp": {"data": {"": 1}}}}, "invalid_request", "content.inapp"),
    ],
)
def test_bad_input_is_a_problem_that_names_the_field(
    publisher: Publisher, fields: dict[str, object], code: str, field: str
) -> None:
    response = publisher.http.post("/v1/notifications", json=notification(**fields))
    assert problem_of(response) == (422, code, [field])


SENDING = ["/v1/notifications", "/v1/notifications/batch"]
BULK_READ = "/v1/notifications/bulk/read"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000], ids=["empty", "open", "bytes", "deep"])
@pytest.mark.parametrize("path", SENDING)
def test_a_notification_that_is_not_json_is_a_400(publisher: Publisher, path: str, body: bytes) -> None:
    assert problem_of(publisher.http.post(path, content=body)) == (400, "malformed_json", [])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (422, "invalid_request", ["body"])),  # FastAPI reads an empty body as none, and asks for it
        (b"{", (400, "malformed_json", [])),
        (b"\xff\xfe", (400, "malformed_json", [])),
        (b"[" * 100_000, (400, "malformed_request", [])),  # too deep for FastAPI's parser, which does not say so
        (b"[]", (422, "invalid_request", ["body"])),
    ],
    ids=["empty", "open", "bytes", "deep", "array"],
)
def test_a_body_that_fastapi_cannot_read_is_a_problem(
    publisher: Publisher, body: bytes, expected: tuple[int, str, list[str]]
) -> None:
    response = publisher.http.post(BULK_READ, content=body, headers={"Content-Type": "application/json"})
    assert problem_of(response) == expected


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", BULK_READ, b'{"user_id": "u", "all": true}'), ("PUT", "/v1/users/u", b"{}")],
)
@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}], ids=str)
def test_a_json_body_that_is_not_called_json_is_refused_by_the_name_of_the_header(
    publisher: Publisher, headers: dict[str, str], method: str, path: str, body: bytes
) -> None:
    response = publisher.http.request(method, path, content=body, headers=headers)
    assert problem_of(response) == (422, "invalid_request", ["body"])
    assert "Content-Type" in response.json()["detail"]


def test_a_body_over_256_kb_is_a_413_whether_announced_or_not(publisher: Publisher) -> None:
    body = json.dumps(notification(payload={"x": "y" * 300_000})).encode()
    announced = publisher.http.post("/v1/notifications", content=body)
    streamed = publisher.http.post("/v1/notifications", content=iter([body[:1000], body[1000:]]))
    assert problem_of(announced) == problem_of(streamed) == (413, "too_large", ["body"])


def test_a_body_over_the_limit_is_a_413_on_every_route(publisher: Publisher) -> None:
    body = json.dumps({"content": {"inapp": {"title": "x" * 400_000}}}).encode()
    response = publisher.http.put("/v1/templates/large", content=iter([body[:9], body[9:]]))
    assert problem_of(response) == (413, "too_large", ["body"])


def test_content_over_its_limit_is_a_413(publisher: Publisher) -> None:
    publisher.http.put(
        "/v1/templates/long", json={"content": {"inapp": {"title": "{{ 'x' * 250000 }}", "body": "{{ 'ä' * 250000 }}"}}}
    )
    response = publisher.http.post("/v1/notifications", json=notification(template_name="long"))
    assert problem_of(response) == (413, "too_large", ["content.inapp"])


def test_an_item_that_cannot_be_stored_is_rejected_and_affects_no_other(publisher: Publisher) -> None:
    items = [notification(), notification(payload={"t": "\x00"}), notification(payload={"t": "\\u0000"})]
    answer = publisher.http.post("/v1/notifications/batch", json=items).json()
    assert [result["status"] for result in answer["results"]] == ["queued", "rejected", "queued"]
    assert answer["results"][1]["problem"]["errors"][0]["field"] == "notifications.1.payload"


def test_a_template_that_fails_for_one_item_affects_no_other(publisher: Publisher) -> None:
    publisher.http.put("/v1/templates/letter", json={"content": {"inapp": {"title": "{{ 100 // n }}"}}})
    items = [notification(template_name="letter", payload={"n": n}) for n in (1, 0, "x", 2)]
    results = publisher.http.post("/v1/notifications/batch", json=items).json()["results"]
    assert [result["status"] for result in results] == ["queued", "rejected", "rejected", "queued"]
    assert results[1]["problem"]["errors"][0]["field"] == "template.inapp.title"


def test_a_batch_that_renders_to_too_much_is_accepted_up_to_its_limit(publisher: Publisher) -> None:
    publisher.http.put("/v1/templates/grown", json={"content": {"inapp": {"title": "{{ 'x' * 250000 }}"}}})
    items = [notification(template_name="grown", deliver_at=LATER) for _ in range(70)]
    answer = publisher.http.post("/v1/notifications/batch", json=[*items, notification(deliver_at=LATER)]).json()
    assert (answer["accepted"], answer["rejected"]) == (68, 3)
    assert answer["results"][-2]["problem"]["type"] == "urn:heliograph:problem:too_large"
    assert answer["results"][-1]["status"] == "queued"


def test_a_token_longer_than_an_index_entry_is_refused(publisher: Publisher) -> None:
    device = {"token": "".join(str(n) for n in range(2000)), "platform": "ios"}
    response = publisher.http.post("/v1/users/u1/devices", json=device)
    assert problem_of(response) == (422, "invalid_request", ["token"])


def test_a_traceparent_that_cannot_be_read_is_ignored(publisher: Publisher) -> None:
    response = publisher.http.post("/v1/notifications", json=notification(), headers={"traceparent": "nonsense"})
    assert response.status_code == 202
    [message] = publisher.topic.deliveries(response.json()["notification_id"])
    assert message.traceparent is None


def test_the_allow_header_names_every_method_of_an_address(publisher: Publisher) -> None:
    refused = [publisher.http.delete("/v1/notifications"), publisher.http.post("/v1/users/u1")]
    assert [problem_of(response) for response in refused] == [(405, "method_not_allowed", [])] * 2
    assert [response.headers["allow"] for response in refused] == ["GET, POST", "DELETE, GET, PATCH, PUT"]


def test_a_payload_of_the_greatest_depth_can_be_read_again(publisher: Publisher) -> None:
    payload = nested(MAX_DEPTH - 1)
    assert publisher.read(publisher.accept(payload=payload))["payload"] == payload


def test_a_notification_id_of_another_producer_is_a_409(publisher: Publisher) -> None:
    notification_id = publisher.accept()
    publisher.sql("update notifications set producer = 'another' where notification_id = %s", notification_id)
    response = publisher.http.post("/v1/notifications", json=notification(notification_id=notification_id))
    assert problem_of(response) == (409, "notification_id_taken", ["notification_id"])
