from datetime import UTC, datetime, timedelta

import firebase_admin
import pytest
from google.oauth2.credentials import Credentials

from functions.push.fcm import Fcm
from functions.runtime.provider import Rejected, Sent
from shared.errors import CredentialsRefused, DeliveryError, Retryable
from shared.reasons import Reason
from tests.factories import make_delivery
from tests.providers.adapters import ANONYMOUS, fcm
from tests.providers.server import HANG_UP, Answer, ScriptedServer

ACCEPTED = Answer.json(200, {"name": "projects/p/messages/1"})


def error(status: int, code: str, fcm_code: str | None = None, message: str = "device-token-1") -> Answer:
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": fcm_code}]
    body = {"code": status, "status": code, "message": message, "details": details if fcm_code else []}
    return Answer.json(status, {"error": body})


def test_request_contains_the_token_the_notification_and_the_data(server: ScriptedServer) -> None:
    server.answers = [ACCEPTED]
    delivery = make_delivery("push")
    with fcm(server.url) as provider:
        assert provider.send(delivery) == Sent("fcm", "projects/p/messages/1")
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/projects/p/messages:send")
    message = {name: asked.json["message"][name] for name in ("token", "notification", "data")}
    assert message == {
        "token": "device-token-1",
        "notification": {"title": "Paid", "body": "You paid 10."},
        "data": {"screen": "payments", "notification_id": delivery.notification_id},
    }


def test_message_expires_at_fcm_when_the_delivery_expires(server: ScriptedServer) -> None:
    server.answers = [ACCEPTED]
    expires_at = datetime.now(UTC) + timedelta(hours=1)
    with fcm(server.url) as provider:
        provider.send(make_delivery("push", expires_at=expires_at))
    message = server.asked[0].json["message"]
    hour = pytest.approx(3600, abs=30)
    assert float(message["android"]["ttl"].removesuffix("s")) == hour
    assert int(message["webpush"]["headers"]["TTL"]) == hour
    assert int(message["apns"]["headers"]["apns-expiration"]) == int(expires_at.timestamp())


def test_an_image_and_a_link_reach_every_platform(server: ScriptedServer) -> None:
    server.answers = [ACCEPTED]
    image, link = "https://shop.example/a.png", "https://shop.example/orders/1"
    with fcm(server.url) as provider:
        provider.send(make_delivery("push", content={"title": "Paid", "image": image, "link": link}))
    message = server.asked[0].json["message"]
    assert (message["notification"]["image"], message["data"]["link"]) == (image, link)
    assert message["apns"]["payload"] == {"aps": {"mutable-content": 1}}
    assert message["apns"]["fcm_options"] == {"image": image}
    assert message["webpush"]["fcm_options"] == {"link": link}


def test_a_path_of_the_app_is_left_to_the_app(server: ScriptedServer) -> None:
    server.answers = [ACCEPTED]
    with fcm(server.url) as provider:
        provider.send(make_delivery("push", content={"title": "Paid", "link": "/orders/1"}))
    message = server.asked[0].json["message"]
    assert message["data"]["link"] == "/orders/1"
    assert "fcm_options" not in message["webpush"]
    assert "image" not in message["notification"]


@pytest.mark.parametrize(
    ("answer", "rejected"),
    [
        (error(404, "NOT_FOUND", "UNREGISTERED"), Rejected("fcm", Reason.UNREGISTERED, "NOT_FOUND")),
        (
            error(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
            Rejected("fcm", Reason.SENDER_MISMATCH, "PERMISSION_DENIED"),
        ),
        (
            error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
            Rejected("fcm", Reason.INVALID_ARGUMENT, "INVALID_ARGUMENT"),
        ),
        (
            error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Message is too large. The maximum is 4K (4096 bytes)."),
            Rejected("fcm", Reason.TOO_LARGE, "INVALID_ARGUMENT"),
        ),
        (
            error(400, "INVALID_ARGUMENT", None, "Android message is too big"),
            Rejected("fcm", Reason.TOO_LARGE, "INVALID_ARGUMENT"),
        ),
    ],
)
def test_permanent_refusal_is_rejected(server: ScriptedServer, answer: Answer, rejected: Rejected) -> None:
    server.answers = [answer]
    with fcm(server.url) as provider:
        assert provider.send(make_delivery("push")) == rejected


@pytest.mark.parametrize(
    "answer",
    [
        error(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
        error(403, "PERMISSION_DENIED"),
    ],
)
def test_missing_permission_is_reported_as_refused_credentials(server: ScriptedServer, answer: Answer) -> None:
    server.answers = [answer]
    with fcm(server.url) as provider, pytest.raises(CredentialsRefused):
        provider.send(make_delivery("push"))


@pytest.mark.parametrize("answer", [error(404, "NOT_FOUND"), Answer(404, b"<html>")], ids=["error", "page"])
def test_404_without_the_detail_of_fcm_is_about_our_project_and_deletes_no_device(
    server: ScriptedServer, answer: Answer
) -> None:
    server.answers = [answer]
    with fcm(server.url) as provider, pytest.raises(CredentialsRefused) as caught:
        provider.send(make_delivery("push"))
    assert (caught.value.reason, caught.value.detail) == (Reason.SENDER_REFUSED, "NOT_FOUND")


@pytest.mark.parametrize(
    ("answer", "reason", "ambiguous"),
    [
        (error(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), Reason.RATE_LIMITED, False),
        (error(503, "UNAVAILABLE", "UNAVAILABLE"), Reason.PROVIDER_ERROR, False),
        (error(500, "INTERNAL", "INTERNAL"), Reason.PROVIDER_ERROR, True),
        (Answer(502, b"<html>"), Reason.PROVIDER_ERROR, True),
        (error(504, "DEADLINE_EXCEEDED"), Reason.PROVIDER_ERROR, True),
        (error(409, "ABORTED"), Reason.PROVIDER_ERROR, False),
        (HANG_UP, Reason.TIMEOUT, True),
    ],
)
def test_temporary_failure_is_retryable_and_not_repeated_by_the_sdk(
    server: ScriptedServer, answer: Answer, reason: Reason, *, ambiguous: bool
) -> None:
    server.answers = [answer]
    with fcm(server.url) as provider, pytest.raises(Retryable) as caught:
        provider.send(make_delivery("push"))
    assert (caught.value.reason, caught.value.ambiguous, len(server.asked)) == (reason, ambiguous, 1)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (HANG_UP, Retryable(Reason.UNREACHABLE)),
        (Answer.json(400, {"error": "invalid_grant"}), CredentialsRefused(Reason.CREDENTIALS_REFUSED)),
    ],
    ids=["unavailable", "refused"],
)
def test_a_token_server_that_is_unavailable_is_no_refusal(
    server: ScriptedServer, answer: Answer, error: DeliveryError
) -> None:
    server.answers = [answer]
    credentials = Credentials(None, refresh_token="r", token_uri=server.url, client_id="i", client_secret="s")  # type: ignore[no-untyped-call]  # published without types
    with fcm(server.url, credentials) as provider, pytest.raises(type(error)) as caught:
        provider.send(make_delivery("push"))
    assert caught.value.reason == error.reason


def test_firebase_app_of_the_process_is_used() -> None:
    app = firebase_admin.initialize_app(ANONYMOUS, {"projectId": "p"})
    try:
        assert Fcm.from_env({"GOOGLE_CLOUD_PROJECT": "another"})._app is app  # noqa: SLF001 - the app is visible nowhere else
    finally:
        firebase_admin.delete_app(app)
