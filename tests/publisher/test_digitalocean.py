"""The same application as a DigitalOcean Function, fed with `web: raw` events."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from publisher_api import main
from publisher_api.app import create_app
from publisher_api.hosting.digitalocean import Handler
from publisher_api.settings import Settings
from tests.publisher.running import Publisher, notification
from tests.publisher.sweeping import accept_pending

pytestmark = pytest.mark.emulators


@pytest.fixture(scope="module")
def publisher(google_publisher: Publisher) -> Publisher:
    """DigitalOcean Functions work in the google profile only."""
    return google_publisher


@pytest.fixture(scope="module")
def function(publisher: Publisher) -> Iterator[Handler]:
    app = create_app(publisher.settings, serverless=True)
    handler = Handler(lambda: app)
    yield handler
    app.state.services.pool.close()
    if handler._loop is not None:  # noqa: SLF001 - a function keeps its loop for its process; here other tests follow
        handler._loop.close()  # noqa: SLF001 - likewise


def event(publisher: Publisher, method: str, path: str, body: str = "", **http: Any) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {publisher.api_key}", "content-type": "application/json"}
    raw = {
        "headers": headers,
        "method": method,
        "path": path,
        "queryString": "",
        "body": body,
        "isBase64Encoded": False,
    }
    return {"http": raw | http}


def test_a_notification_is_published_before_the_answer(function: Handler, publisher: Publisher) -> None:
    answer = function(event(publisher, "POST", "/v1/notifications", json.dumps(notification())), None)
    assert answer["statusCode"] == 202
    notification_id = json.loads(answer["body"])["notification_id"]
    assert answer["headers"]["location"] == f"/v1/notifications/{notification_id}"
    [row] = publisher.sql("select status from deliveries where notification_id = %s", notification_id)
    assert row["status"] == "queued"
    assert publisher.topic.deliveries(notification_id)


def test_a_base64_body_is_decoded(function: Handler, publisher: Publisher) -> None:
    body = base64.b64encode(json.dumps(notification(payload={"text": "Grüße"})).encode()).decode()
    answer = function(event(publisher, "POST", "/v1/notifications", body, isBase64Encoded=True), None)
    assert answer["statusCode"] == 202


def test_a_query_and_repeated_headers_arrive(function: Handler, publisher: Publisher) -> None:
    headers = {"Authorization": f"Bearer {publisher.api_key}", "X-Forwarded-For": ["10.0.0.1", "10.0.0.2"]}
    asked = event(publisher, "GET", "/v1/notifications", headers=headers, queryString="user_id=no%20one&limit=1")
    answer = function(asked, None)
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"notifications": [], "next_cursor": None})


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/notifications", "{", 400),
        ("POST", "/v1/notifications", "{}", 422),
        ("POST", "/v1/notifications", "x" * 300_000, 413),
        ("DELETE", "/v1/notifications", "", 405),
        ("GET", "/nowhere", "", 404),
    ],
)
def test_errors_are_the_same_problems(
    function: Handler, publisher: Publisher, method: str, path: str, body: str, status: int
) -> None:
    answer = function(event(publisher, method, path, body), None)
    assert (answer["statusCode"], answer["headers"]["content-type"]) == (status, "application/problem+json")
    assert json.loads(answer["body"])["status"] == status


def test_an_event_without_a_key_is_a_401(function: Handler, publisher: Publisher) -> None:
    assert function(event(publisher, "GET", "/v1/channels", headers={}), None)["statusCode"] == 401


def test_headers_and_bodies_beyond_latin_1_are_handled(function: Handler, publisher: Publisher) -> None:
    headers = {"Authorization": f"Bearer {publisher.api_key}", "X-Name": "Łukasz"}
    assert function(event(publisher, "GET", "/v1/channels", headers=headers), None)["statusCode"] == 200
    assert function(event(publisher, "POST", "/v1/notifications", "\ud800"), None)["statusCode"] == 400


@pytest.mark.parametrize(
    ("http", "named"),
    [
        ({"body": "e30", "isBase64Encoded": True}, "body"),
        ({"body": "{}==", "isBase64Encoded": True}, "body"),
        ({"body": "Grüße===", "isBase64Encoded": True}, "body"),
        ({"body": "\ud800"}, "body"),
        ({"body": {"parsed": "by another kind of function"}}, "body"),
        ({"path": "/v1/\ud800"}, "path"),
        ({"path": ["/v1"]}, "path"),
        ({"queryString": "user_id=\ud800"}, "query string"),
        ({"headers": {"\ud800": "x"}}, "headers"),
        ({"headers": {"x-name": "\ud800"}}, "headers"),
        ({"headers": {"x-name": ["x", "\ud800"]}}, "headers"),
        ({"headers": ["authorization"]}, "headers"),
        ({"method": None}, "method"),
    ],
)
def test_a_request_that_cannot_be_decoded_is_a_400(
    function: Handler, publisher: Publisher, http: dict[str, Any], named: str
) -> None:
    good = event(publisher, "POST", "/v1/notifications")
    answer = function({"http": good["http"] | http}, None)
    assert (answer["statusCode"], answer["headers"]["content-type"]) == (400, "application/problem+json")
    problem = json.loads(answer["body"])
    assert (problem["type"], problem["status"]) == ("urn:heliograph:problem:malformed_request", 400)
    assert named in problem["detail"]


@pytest.mark.parametrize("other", [{}, {"http": None}, {"name": "Ada"}, {"requestContext": {}, "httpMethod": "GET"}])
def test_an_event_that_is_not_a_web_request_is_a_400(function: Handler, other: dict[str, Any]) -> None:
    answer = function(other, None)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["type"] == "urn:heliograph:problem:malformed_request"


def test_events_may_arrive_on_any_thread(function: Handler, publisher: Publisher) -> None:
    def ask(_: int) -> int:
        status: int = function(event(publisher, "GET", "/v1/health"), None)["statusCode"]
        return status

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, range(12))) == [200] * 12


def test_the_scheduled_function_sweeps(
    google_unswept: Settings, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    google = google_unswept.google
    assert google
    environment = {
        "DATABASE_URL": google_unswept.database_url,
        "GOOGLE_CLOUD_PROJECT": google.project,
        "NOTIFICATIONS_TOPIC": google.topic,
        "PUSH_AUDIENCE": "a",
        "PUSH_SERVICE_ACCOUNT": "s",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    notification_id = accept_pending(google_unswept)
    assert main.sweep({}, None) == {"published": 1}
    assert len(publisher.topic.deliveries(notification_id)) == 1
