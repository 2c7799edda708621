"""POST /v1/channels/{channel}/test: a test over the real path, and what its answer says."""

import asyncio
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from publisher_api.channels.model import SendTest, SendTestResult
from publisher_api.channels.send_test import SendTests
from publisher_api.connections import now
from publisher_api.hosting.serverless import ServerlessBackend
from publisher_api.outbox.shares import Shares
from publisher_api.principal import command
from publisher_api.refusal import Refusal, RefusalCode
from tests.publisher.running import Publisher, problem_of
from tests.publisher.sweeping import Sweeping
from tests.publisher.topic import waiting_for


class Answered:
    """A request in a thread of its own, because the test plays the worker meanwhile."""

    def __init__(self, send: Callable[[], httpx.Response]) -> None:
        self._response: httpx.Response | None = None

        def run() -> None:
            self._response = send()

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def response(self) -> httpx.Response:
        self._thread.join()
        assert self._response is not None
        return self._response


def delivery_to(publisher: Publisher, user_id: str) -> str:
    """The id of the delivery of this user's test, as soon as it is published."""

    def found() -> list[Any]:
        return publisher.sql(
            """
            select delivery_id::text from deliveries join notifications using (notification_id)
             where user_id = %s and status = 'queued'
            """,
            user_id,
        )

    waiting_for(found, "the test to be published")
    delivery_id: str = found()[0]["delivery_id"]
    return delivery_id


def test_the_answer_has_the_result_that_the_worker_reports(publisher: Publisher) -> None:
    user = f"u-{uuid.uuid4().hex[:8]}"
    body = {"user_id": user, "to": "me@example.com", "content": {"subject": "Is this on?"}}
    asked = Answered(lambda: publisher.http.post("/v1/channels/email/test", json=body))
    publisher.report(delivery_to(publisher, user), "sent", provider="sendgrid", provider_message_id="sg-1")
    response = asked.response()
    assert response.status_code == 200, response.text
    result = response.json()
    assert (result["finished"], result["look_at"]) == (True, f"/v1/notifications/{result['notification_id']}")
    [delivery] = result["notification"]["deliveries"]
    assert (delivery["status"], delivery["provider_message_id"], delivery["recipient"]) == (
        "sent",
        "sg-1",
        "m***@example.com",
    )
    assert {each["event"] for each in result["notification"]["timeline"]} >= {
        "accepted",
        "planned",
        "published",
        "sent",
    }
    [message] = publisher.topic.deliveries(result["notification_id"])
    assert (message.event_type, message.content["subject"]) == ("channel_test", "Is this on?")
    assert result["waited_seconds"] < 15


def test_the_first_failed_attempt_is_the_answer(publisher: Publisher) -> None:
    user = f"u-{uuid.uuid4().hex[:8]}"
    body = {"user_id": user, "to": "+15005550006"}
    asked = Answered(lambda: publisher.http.post("/v1/channels/sms/test", json=body))
    publisher.report(delivery_to(publisher, user), "attempt", reason="sender_refused", attempt=1)
    result = asked.response().json()
    assert result["finished"] is False
    [failed] = [each for each in result["notification"]["timeline"] if each["event"] == "attempt"]
    assert failed["detail"]["reason"] == "sender_refused"


def test_a_channel_that_is_off_answers_at_once_that_it_is(publisher: Publisher) -> None:
    slug = f"off-{uuid.uuid4().hex[:6]}"
    publisher.http.post("/v1/channels", json={"channel": slug, "channel_type": "inapp", "enabled": False})
    result = publisher.http.post(f"/v1/channels/{slug}/test").json()
    [delivery] = result["notification"]["deliveries"]
    assert (result["finished"], delivery["status"], delivery["reason"]) == (True, "suppressed", "channel_off")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"to": "no address"}, "to.email"),
        ({"to": "a@example.com", "content": {"text": 5}}, "content.email.text"),
        ({"user_id": "a/b"}, "user_id"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_test_that_could_not_be_sent_is_refused_by_field(
    publisher: Publisher, body: dict[str, Any], field: str
) -> None:
    assert problem_of(publisher.http.post("/v1/channels/email/test", json=body)) == (422, "invalid_request", [field])


def sends(sweeping: Sweeping, wait_seconds: float) -> SendTests:
    """Tests from a publisher without threads, as in a DigitalOcean Function. Its pool has two connections."""
    shares, new_id = Shares(), lambda: str(uuid.uuid4())
    backend = ServerlessBackend(sweeping.pool, sweeping.topic, sweeping.cache, shares, now, new_id)
    return SendTests(sweeping.pool, backend, now, wait_seconds)


def test_the_state_so_far_is_the_answer_when_no_result_came_in_time(sweeping: Sweeping) -> None:
    result = asyncio.run(sends(sweeping, 0.3).send(command("tests"), "email", SendTest(to="me@example.com")))
    assert (result.finished, [each.status for each in result.notification.deliveries]) == (False, ["queued"])
    assert 0.3 <= result.waited_seconds < 10
    assert len(sweeping.published.deliveries(str(result.notification_id))) == 1


def test_tests_that_wait_hold_no_connection_and_only_a_few_wait_at_a_time(sweeping: Sweeping) -> None:
    tests = sends(sweeping, 2.0)

    async def together() -> list[SendTestResult | BaseException]:
        each = [tests.send(command("tests"), "email", SendTest(to="me@example.com")) for _ in range(9)]
        return await asyncio.gather(*each, return_exceptions=True)

    began = time.monotonic()
    *waited, refused = asyncio.run(together())
    assert [isinstance(result, SendTestResult) for result in waited] == [True] * 8
    assert time.monotonic() - began < 8
    assert isinstance(refused, Refusal)
    assert refused.code == RefusalCode.OVERLOADED
