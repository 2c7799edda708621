"""What is wrong with a request is told in a problem that names the field, and is never a 500."""

import json

import pytest

from tests.publisher.running import LATER, Publisher, notification

pytestmark = pytest.mark.emulators


def nested(levels: int) -> dict[str, object]:
    value: dict[str, object] = {}
    for _ in range(levels - 1):
        value = {"in": value}
    return value


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
    ({"deliver_at": "9999-12-31T23:59:59Z"}, "invalid_request", "deliver_at"),
    ({"deliver_at": "0001-01-01T00:00:00+10:00"}, "invalid_request", "deliver_at"),
    ({"expires_at": "9999-12-31T23:59:59-10:00"}, "invalid_request", "expires_at"),
    ({"to": {"inapp": "somebody-else"}}, "invalid_request", "to.inapp"),
    ({"payload": {"text": "\x00"}}, "invalid_request", "payload"),
    ({"payload": "text"}, "invalid_request", "payload"),
    ({"chanels": ["inapp"]}, "invalid_request", "chanels"),
    (
        {"channels": ["email"], "content": {"email": {"subject": "a\nBcc: b@example.com"}}},
        "invalid_request",
        "content.email.subject",
    ),
    ({"channels": ["email"], "content": {"email": {"subjekt": "x"}}}, "invalid_request", "content.email"),
    ({"deliver_at": "20270101"}, "invalid_request", "deliver_at"),
    ({"deliver_at": 1800000000}, "invalid_request", "deliver_at"),
    ({"channels": ["sms"], "to": {"sms": "+12530000"}}, "invalid_request", "to.sms"),
    ({"channels": ["sms"], "to": {"sms": "+1-800-FLOWERS"}}, "invalid_request", "to.sms"),
    ({"channels": ["sms"], "to": {"sms": "+447700900123;ext=5"}}, "invalid_request", "to.sms"),
    ({"channels": ["webhook"], "to": {"webhook": "https://a..b/x"}}, "invalid_request", "to.webhook"),
    ({"channels": ["webhook"], "to": {"webhook": f"https://{'a' * 70}.example/"}}, "invalid_request", "to.webhook"),
    ({"channels": ["webhook"], "to": {"webhook": "http://./"}}, "invalid_request", "to.webhook"),
    ({"payload": {"deep": nested(65)}}, "invalid_request", "payload"),
    ({"content": {"inapp": {"data": {"n": 2**63}}}}, "invalid_request", "content.inapp"),
    ({"content": {"inapp": {"data": {"": 1}}}}, "invalid_request", "content.inapp"),
    ({"content": {"inapp": {"data": {"__x__": 1}}}}, "invalid_request", "content.inapp"),
    ({"content": {"inapp": {"data": {"a": [[1]]}}}}, "invalid_request", "content.inapp"),
    ({"content": {"inapp": {"data": nested(20)}}}, "invalid_request", "content.inapp"),
    (
        {"channels": ["push"], "content": {"push": {"body": "ä" * 2000}}},
        "invalid_request",
        "content.push",
    ),
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


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"payload":NaN}', b'{"payload":1e999}', b"\xff\xfe", b'{"a":"\\ud800"}', b"[" * 100_000]
)
def test_what_is_no_json_is_a_400(publisher: Publisher, body: bytes) -> None:
    response = publisher.http.post("/v1/notifications", content=body)
    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")


def test_a_body_over_256_kb_is_a_413_whether_announced_or_not(publisher: Publisher) -> None:
    body = json.dumps(notification(payload={"x": "y" * 300_000})).encode()
    announced = publisher.http.post("/v1/notifications", content=body)
    streamed = publisher.http.post("/v1/notifications", content=iter([body[:1000], body[1000:]]))
    assert [announced.status_code, streamed.status_code] == [413, 413]
    assert announced.headers["content-type"] == "application/problem+json"


def test_an_item_that_cannot_be_stored_is_refused_and_harms_no_neighbour(publisher: Publisher) -> None:
    items = [notification(), notification(payload={"t": "\x00"}), notification(payload={"t": "\\u0000"})]
    answer = publisher.http.post("/v1/notifications/batch", json=items).json()
    assert [result["status"] for result in answer["results"]] == ["queued", "rejected", "queued"]
    assert answer["results"][1]["problem"]["errors"][0]["field"] == "notifications.1.payload"


def test_an_item_of_a_batch_may_be_as_large_as_a_notification_and_no_larger(publisher: Publisher) -> None:
    items = [notification(payload={"x": "y" * 300_000}), notification()]
    answer = publisher.http.post("/v1/notifications/batch", json=items).json()
    assert [result["status"] for result in answer["results"]] == ["rejected", "queued"]
    assert answer["results"][0]["problem"]["type"] == "urn:heliograph:problem:too_large"


def test_a_body_over_the_limit_is_a_413_on_every_route(publisher: Publisher) -> None:
    body = json.dumps({"content": {"inapp": {"title": "x" * 400_000}}}).encode()
    response = publisher.http.put("/v1/templates/large", content=iter([body[:9], body[9:]]))
    assert (response.status_code, response.headers["content-type"]) == (413, "application/problem+json")


def test_a_token_longer_than_an_index_takes_is_refused(publisher: Publisher) -> None:
    device = {"token": "".join(str(n) for n in range(2000)), "platform": "ios"}
    assert publisher.http.post("/v1/users/u1/devices", json=device).json()["errors"][0]["field"] == "token"


def test_a_traceparent_that_cannot_be_read_is_ignored(publisher: Publisher) -> None:
    response = publisher.http.post("/v1/notifications", json=notification(), headers={"traceparent": "nonsense"})
    assert response.status_code == 202


RUNAWAY = [
    "{% for i in range(9000) %}{% for j in range(9000) %}{% endfor %}{% endfor %}",
    "{% for i in payload.many %}{% for j in payload.many %}{% endfor %}{% endfor %}",
    "{% for i in payload.many recursive %}{{ loop(payload.many) if loop.depth < 9 }}{% endfor %}",
    "{% macro m(n) %}{{ m(n - 1) ~ m(n - 1) if n }}{% endmacro %}{{ m(60) }}",
    "{{ 'a' * 200000000 }}",
    "{{ 10 ** n }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ payload.clear() or 'x' }}",
    "{{ 'long words' | truncate(2) }}",
    "{{ cycler().next() }}",
    "{{ '%c' % 55296 }}",
    "{{ '%c' % 0 }}",
    "{{ ('a' * 1000) | center(300000) }}",
]


@pytest.mark.parametrize("text", RUNAWAY)
def test_a_template_cannot_run_away(publisher: Publisher, text: str) -> None:
    name = f"runaway{abs(hash(text))}"
    publisher.http.put(f"/v1/templates/{name}", json={"content": {"inapp": {"title": text}}}).raise_for_status()
    request = notification(template_name=name, payload={"n": 10**6, "many": [0] * 9000})
    response = publisher.http.post("/v1/notifications", json=request)
    assert (response.status_code, response.json()["type"]) == (422, "urn:heliograph:problem:template_failed")


def test_many_texts_together_cannot_take_what_one_may_not(publisher: Publisher) -> None:
    body = {f"text{number}": "{% for i in payload.many %}{% endfor %}" for number in range(1000)}
    publisher.http.put("/v1/templates/texts", json={"content": {"webhook": {"body": body}}}).raise_for_status()
    request = notification(template_name="texts", channels=["webhook"], payload={"many": [0] * 9000})
    response = publisher.http.post("/v1/notifications", json=request)
    assert (response.status_code, response.json()["type"]) == (422, "urn:heliograph:problem:template_failed")


def test_a_template_that_fails_for_one_item_harms_no_neighbour(publisher: Publisher) -> None:
    publisher.http.put("/v1/templates/letter", json={"content": {"inapp": {"title": "{{ '%c' % n }}"}}})
    items = [notification(template_name="letter", payload={"n": n}) for n in (65, 0, 55296, 66)]
    results = publisher.http.post("/v1/notifications/batch", json=items).json()["results"]
    assert [result["status"] for result in results] == ["queued", "rejected", "rejected", "queued"]
    assert results[1]["problem"]["errors"][0]["field"] == "template.inapp.title"


def test_a_batch_that_makes_much_of_little_is_taken_as_far_as_it_goes(publisher: Publisher) -> None:
    publisher.http.put("/v1/templates/long", json={"content": {"inapp": {"title": "{{ 'x' * 250000 }}"}}})
    items = [notification(template_name="long", deliver_at=LATER) for _ in range(70)]
    answer = publisher.http.post("/v1/notifications/batch", json=[*items, notification(deliver_at=LATER)]).json()
    assert (answer["accepted"], answer["rejected"]) == (68, 3)
    assert answer["results"][-2]["problem"]["type"] == "urn:heliograph:problem:too_large"
    assert answer["results"][-1]["status"] == "queued"


def test_every_method_of_an_address_is_named(publisher: Publisher) -> None:
    refused = [publisher.http.delete("/v1/notifications"), publisher.http.patch("/v1/users/u1")]
    assert [response.headers["allow"] for response in refused] == ["GET, POST", "GET, PUT"]


def test_what_is_deep_but_not_too_deep_can_be_read_again(publisher: Publisher) -> None:
    payload = nested(63)
    assert publisher.story(publisher.accept(payload=payload))["payload"] == payload


def test_a_template_nested_too_deeply_is_refused_when_it_is_put(publisher: Publisher) -> None:
    for text in ("{% for i in x %}" * 25 + "{% endfor %}" * 25, "{{ " + "(" * 2000 + ")" * 2000 + " }}"):
        response = publisher.http.put("/v1/templates/deep", json={"content": {"inapp": {"title": text}}})
        assert response.status_code == 422
