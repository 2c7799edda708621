from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import firebase_admin
import pytest
from firebase_admin import messaging
from google.auth.credentials import AnonymousCredentials

from functions.push.fcm import Fcm
from functions.runtime.provider import Rejected, Sent
from shared.errors import CredentialsRefused, Retryable
from tests.factories import make_delivery
from tests.providers.server import HANG_UP, SILENCE, Answer, ScriptedServer

ACCEPTED = Answer.json(200, {"name": "projects/p/messages/1"})


ANONYMOUS = AnonymousCredentials()  # type: ignore[no-untyped-call] # it has no types


@contextmanager
def fcm(url: str) -> Iterator[Fcm]:
    options = {"projectId": "p", "httpTimeout": 0.5}
    with pytest.MonkeyPatch.context() as sdk:  # the SDK has no setting for its address
        sdk.setattr(messaging._MessagingService, "FCM_URL", url + "/v1/projects/{0}/messages:send")  # noqa: SLF001
        app = firebase_admin.initialize_app(ANONYMOUS, options, name="test")
        try:
            yield Fcm(app)
        finally:
            firebase_admin.delete_app(app)


def error(status: int, code: str, fcm_code: str | None = None, message: str = "device-token-1") -> Answer:
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": fcm_code}]
    body = {"code": status, "status": code, "message": message, "details": details if fcm_code else []}
    return Answer.json(status, {"error": body})


def test_a_push_is_sent_with_all_that_it_says(server: ScriptedServer) -> None:
    server.answers = [ACCEPTED]
    delivery = make_delivery("push")
    with fcm(server.url) as provider:
        assert provider.send(delivery) == Sent("fcm", "projects/p/messages/1")
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/projects/p/messages:send")
    said = {name: asked.json["message"][name] for name in ("token", "notification", "data")}
    assert said == {
        "token": "device-token-1",
        "notification": {"title": "Paid", "body": "You paid 10."},
        "data": {"screen": "payments", "notification_id": delivery.notification_id},
    }


def test_a_phone_that_comes_back_too_late_gets_nothing(server: ScriptedServer) -> None:
    server.answers = [ACCEPTED]
    expires_at = datetime.now(UTC) + timedelta(hours=1)
    with fcm(server.url) as provider:
        provider.send(make_delivery("push", expires_at=expires_at))
    message = server.asked[0].json["message"]
    hour = pytest.approx(3600, abs=30)
    assert float(message["android"]["ttl"].removesuffix("s")) == hour
    assert int(message["webpush"]["headers"]["TTL"]) == hour
    assert int(message["apns"]["headers"]["apns-expiration"]) == int(expires_at.timestamp())


@pytest.mark.parametrize(
    ("answer", "rejected"),
    [
        (error(404, "NOT_FOUND", "UNREGISTERED"), Rejected("fcm", "unregistered", "NOT_FOUND")),
        (error(404, "NOT_FOUND"), Rejected("fcm", "unregistered", "NOT_FOUND")),
        (
            error(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
            Rejected("fcm", "sender_mismatch", "PERMISSION_DENIED"),
        ),
        (
            error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
            Rejected("fcm", "invalid_argument", "INVALID_ARGUMENT"),
        ),
        (
            error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Message is too large. The maximum is 4K (4096 bytes)."),
            Rejected("fcm", "too_large", "INVALID_ARGUMENT"),
        ),
        (
            error(400, "INVALID_ARGUMENT", None, "Android message is too big"),
            Rejected("fcm", "too_large", "INVALID_ARGUMENT"),
        ),
    ],
)
def test_what_fcm_refuses_for_good_is_rejected(server: ScriptedServer, answer: Answer, rejected: Rejected) -> None:
    server.answers = [answer]
    with fcm(server.url) as provider:
        assert provider.send(make_delivery("push")) == rejected


@pytest.mark.parametrize(
    "answer",
    [
        error(401, "UNAUTHENTICATED"),
        error(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
        error(403, "PERMISSION_DENIED"),
    ],
)
def test_refused_credentials_are_no_answer_about_the_push(server: ScriptedServer, answer: Answer) -> None:
    server.answers = [answer]
    with fcm(server.url) as provider, pytest.raises(CredentialsRefused):
        provider.send(make_delivery("push"))


@pytest.mark.parametrize(
    ("answer", "reason", "ambiguous"),
    [
        (error(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), "rate_limited", False),
        (error(503, "UNAVAILABLE", "UNAVAILABLE"), "provider_error", False),
        (error(500, "INTERNAL", "INTERNAL"), "provider_error", False),
        (Answer(502, b"<html>"), "provider_error", False),
        (error(504, "DEADLINE_EXCEEDED"), "provider_error", True),
        (SILENCE, "timeout", True),
        (HANG_UP, "timeout", True),
    ],
)
def test_what_may_go_better_later_is_retryable_and_asked_once(
    server: ScriptedServer, answer: Answer, reason: str, *, ambiguous: bool
) -> None:
    server.answers = [answer]
    with fcm(server.url) as provider, pytest.raises(Retryable) as caught:
        provider.send(make_delivery("push"))
    assert (caught.value.reason, caught.value.ambiguous, len(server.asked)) == (reason, ambiguous, 1)


def test_a_refused_connection_is_no_ambiguity(nowhere: str) -> None:
    with fcm(f"http://{nowhere}") as provider, pytest.raises(Retryable) as caught:
        provider.send(make_delivery("push"))
    assert (caught.value.reason, caught.value.ambiguous) == ("unreachable", False)


def test_an_app_that_the_process_set_up_is_used() -> None:
    app = firebase_admin.initialize_app(ANONYMOUS, {"projectId": "p"})
    try:
        assert Fcm.from_env({"GOOGLE_CLOUD_PROJECT": "another"})._app is app  # noqa: SLF001 - which one is the question
    finally:
        firebase_admin.delete_app(app)
