"""What is wrong with a request is told in a problem that names the field, and is never a 500."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.publisher.running import Publisher, notification

pytestmark = pytest.mark.emulators

BAD = [
    ({"channels": ["carrier-pigeon"]}, "unknown_channel", "channels.0"),
    ({"channels": ["email"], "to": {"email": "nobody"}}, "invalid_request", "to.email"),
    ({"channels": ["sms"], "to": {"sms": "0770"}}, "invalid_request", "to.sms"),
    ({"channels": ["webhook"], "to": {"webhook": "ftp://x"}}, "invalid_request", "to.webhook"),
    ({"channels": ["webhook"], "to": {"webhook": "https://user:secret@x/"}}, "invalid_request", "to.webhook"),
    ({"channels": ["inapp"], "to": {"email": "a@example.com"}}, "invalid_request", "to.email"),
    ({"template_name": "no-such"}, "unknown_template", "template_name"),
    ({"channels": ["inapp", "inapp"]}, "invalid_request", "channels"),
    ({"channels": []}, "invalid_request", "channels"),
    ({"priority": 1001}, "invalid_request", "priority"),
    ({"priority": "high"}, "invalid_request", "priority"),
    ({"deliver_at": "2030-01-01T00:00:00"}, "invalid_request", "deliver_at"),
    ({"expires_at": "2020-01-01T00:00:00Z"}, "invalid_request", "expires_at"),
    ({"user_id": "a/b"}, "invalid_request", "user_id"),
    ({"user_id": "x" * 129}, "invalid_request", "user_id"),
    ({"payload": "text"}, "invalid_request", "payload"),
    ({"chanels": ["inapp"]}, "invalid_request", "chanels"),
    (
        {"channels": ["email"], "content": {"email": {"subject": "a\nBcc: b@example.com"}}},
        "invalid_request",
        "content.email.subject",
    ),
    ({"channels": ["email"], "content": {"email": {"subjekt": "x"}}}, "invalid_request", "content.email"),
]


@pytest.mark.parametrize(("fields", "kind", "field"), BAD, ids=[str(fields)[:60] for fields, _, _ in BAD])
def test_bad_input_is_a_problem_that_names_the_field(
    publisher: Publisher, fields: dict[str, object], kind: str, field: str
) -> None:
    response = publisher.http.post("/v1/notifications", json=notification(**fields))
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == f"urn:heliograph:problem:{kind}"
    assert [error["field"] for error in problem["errors"]] == [field]
    assert problem["status"] == 422
    assert problem["detail"]


@pytest.mark.parametrize("body", [b"", b"{", b'{"payload":NaN}', b"\xff\xfe", b'{"a":"\\ud800"}', b"[" * 100_000])
def test_what_is_no_json_is_a_400(publisher: Publisher, body: bytes) -> None:
    response = publisher.http.post("/v1/notifications", content=body)
    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")


def test_a_body_over_256_kb_is_a_413_whether_announced_or_not(publisher: Publisher) -> None:
    body = json.dumps(notification(payload={"x": "y" * 300_000})).encode()
    announced = publisher.http.post("/v1/notifications", content=body)
    streamed = publisher.http.post("/v1/notifications", content=iter([body[:1000], body[1000:]]))
    assert [announced.status_code, streamed.status_code] == [413, 413]
    assert announced.headers["content-type"] == "application/problem+json"


def test_a_text_that_postgres_cannot_hold_is_refused_and_harms_no_neighbour(publisher: Publisher) -> None:
    def send(text: str) -> int:
        return publisher.http.post("/v1/notifications", json=notification(payload={"text": text})).status_code

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(send, ["good", "bad \x00"] * 16))
    assert answers == [202, 422] * 16
