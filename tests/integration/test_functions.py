"""Each function wired as in production: real SDKs, with the ledger and the outcomes on Google's emulators."""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import firebase_admin
import pytest
from firebase_admin import messaging
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client

from functions import wiring
from functions.dead_letter import handler as dead_letter
from functions.email.sendgrid import SendGrid
from functions.email.smtp import Smtp
from functions.google.inbox import inbox_of
from functions.google.push import respond
from functions.inapp import handler as inapp
from functions.push.fcm import Fcm
from functions.runtime.lazy import Lazy
from functions.runtime.provider import Adapter
from functions.sms.twilio import Twilio
from functions.webhook.http import Http
from functions.webhook.request import receiver_of
from shared.envelope import Command, Delivery
from shared.outcomes import Outcome
from shared.topology import TOPOLOGY
from tests.factories import make_delivery, make_push
from tests.providers.server import SILENCE, Answer, ScriptedServer, serving
from transport.port import Handler

pytestmark = pytest.mark.emulators

ADAPTERS: dict[str, list[type[Adapter]]] = {
    "email": [SendGrid, Smtp],
    "sms": [Twilio],
    "push": [Fcm],
    "webhook": [Http],
}
ANSWERS = {
    "email": Answer(202, headers={"X-Message-Id": "id-1"}),
    "sms": Answer.json(201, {"sid": "id-1"}),
    "push": Answer.json(200, {"name": "id-1"}),
    "webhook": Answer(204),
}
Arrived = Callable[[int], list[Outcome]]


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Undoes ``logs.configure``, which the functions call, at the end of the test."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as script:
        yield script


@pytest.fixture
def environ(project: str, server: ScriptedServer) -> dict[str, str]:
    return {
        "GOOGLE_CLOUD_PROJECT": project,
        "SENDGRID_API_KEY": "k",
        "SENDGRID_URL": server.url,
        "EMAIL_FROM": "hello@heliograph.example",
        "TWILIO_ACCOUNT_SID": "AC1",
        "TWILIO_AUTH_TOKEN": "t",
        "TWILIO_FROM": "+15005550000",
        "TWILIO_URL": server.url,
        "WEBHOOK_SIGNING_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "WEBHOOK_ALLOW_PRIVATE_ADDRESSES": "true",
    }


@pytest.fixture
def firebase(server: ScriptedServer) -> Iterator[None]:
    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call] # the library has no types
    app = firebase_admin.initialize_app(anonymous, {"projectId": "p"})
    with pytest.MonkeyPatch.context() as sdk:  # the SDK has no setting for its URL
        sdk.setattr(messaging._MessagingService, "FCM_URL", server.url + "/{0}")  # noqa: SLF001 - the SDK has no public way
        yield
    firebase_admin.delete_app(app)


def fresh(channel_type: str, **given: object) -> Delivery:
    return make_delivery(channel_type, expires_at=datetime.now(UTC) + timedelta(hours=1), **given)


@pytest.mark.usefixtures("firebase")
@pytest.mark.parametrize("channel_type", ADAPTERS)
def test_delivery_is_sent_once_and_reported(
    channel_type: str, environ: dict[str, str], server: ScriptedServer, arrived: Arrived
) -> None:
    server.answers = [ANSWERS[channel_type]]
    delivery = fresh(channel_type, **({"recipient": server.url} if channel_type == "webhook" else {}))
    function = wiring.channel(channel_type, ADAPTERS[channel_type], environ)
    assert [respond(make_push(delivery), function)[1] for _ in range(2)] == [204, 204]
    assert len(server.asked) == 1
    first, again = arrived(2)
    assert first == again
    provider_id = delivery.delivery_id if channel_type == "webhook" else "id-1"
    assert (first.result, first.provider_message_id) == ("sent", provider_id)


def test_email_that_sendgrid_cannot_take_goes_to_smtp_and_then_waits(
    environ: dict[str, str], server: ScriptedServer, arrived: Arrived, nowhere: str
) -> None:
    server.answers = [Answer(503)]
    function = wiring.channel("email", ADAPTERS["email"], environ | {"SMTP_URL": f"smtp://{nowhere}"})
    assert respond(make_push(fresh("email")), function)[1] == 503
    (attempt,) = arrived(1)
    assert (attempt.result, attempt.provider, attempt.reason) == ("attempt", "smtp", "unreachable")


def test_email_that_sendgrid_may_have_taken_does_not_go_to_smtp(
    environ: dict[str, str], server: ScriptedServer, arrived: Arrived, nowhere: str
) -> None:
    server.answers = [Answer(500), ANSWERS["email"]]
    function = wiring.channel("email", ADAPTERS["email"], environ | {"SMTP_URL": f"smtp://{nowhere}"})
    delivery = fresh("email")
    assert [respond(make_push(delivery), function)[1] for _ in range(2)] == [503, 503]
    assert len(server.asked) == 1, "the next attempt waits for its cooldown"
    assert [(each.provider, each.reason) for each in arrived(2)] == [
        ("sendgrid", "provider_error"),
        (None, "unconfirmed"),
    ]


def test_inapp_function_accepts_deliveries_and_commands(
    environ: dict[str, str], firestore: Client, arrived: Arrived
) -> None:
    function = wiring.function("inapp", inapp.connect, environ)
    delivery = fresh("inapp")
    read = Command(
        v=1, command="read", at=datetime.now(UTC), user_id="ada", notification_ids=[delivery.notification_id]
    )
    assert respond(make_push(read), function)[1] == 503, "its notification has not arrived yet"
    assert respond(make_push(delivery), function)[1] == 204
    assert respond(make_push(read), function)[1] == 204
    assert [(outcome.result, outcome.provider) for outcome in arrived(1)] == [("sent", "inbox")]
    (document,) = inbox_of(firestore, "ada").stream()
    assert document.get("read_at") == read.at


def test_channel_that_is_switched_off_suppresses_deliveries_on_their_way(
    environ: dict[str, str], server: ScriptedServer, arrived: Arrived
) -> None:
    switch = Command(v=1, command="channels", at=datetime.now(UTC), channels={"sms-marketing": False}, version=1)
    assert respond(make_push(switch), wiring.function("inapp", inapp.connect, environ))[1] == 204
    function = wiring.channel("sms", ADAPTERS["sms"], environ)
    assert respond(make_push(fresh("sms", channel="sms-marketing")), function)[1] == 204
    assert [(outcome.result, outcome.reason) for outcome in arrived(1)] == [("suppressed", "channel_off")]
    assert server.asked == []


def test_dead_letter_is_reported_as_dead_unless_its_delivery_was_sent(
    environ: dict[str, str], server: ScriptedServer, arrived: Arrived
) -> None:
    server.answers = [ANSWERS["sms"]]
    sent, lost = fresh("sms"), fresh("sms")
    respond(make_push(sent), wiring.channel("sms", ADAPTERS["sms"], environ))
    assert [outcome.result for outcome in arrived(1)] == ["sent"]
    function = wiring.function("dead_letter", dead_letter.connect, environ)
    assert [respond(make_push(each, None), function)[1] for each in (sent, lost)] == [204, 204]
    results = {outcome.delivery_id: outcome.result for outcome in arrived(2)}
    assert results == {sent.delivery_id: "sent", lost.delivery_id: "dead"}


def test_dead_letter_of_an_inapp_delivery_that_arrived_is_reported_as_sent(
    environ: dict[str, str], firestore: Client, arrived: Arrived
) -> None:
    there, lost = fresh("inapp"), fresh("inapp")
    inbox_of(firestore, "ada").document(there.notification_id).set({"delivery_id": there.delivery_id})
    function = wiring.function("dead_letter", dead_letter.connect, environ)
    assert [respond(make_push(each, None), function)[1] for each in (there, lost)] == [204, 204]
    results = {outcome.delivery_id: outcome.result for outcome in arrived(2)}
    assert results == {there.delivery_id: "sent", lost.delivery_id: "dead"}


@pytest.mark.usefixtures("arrived")  # the topic of the outcomes
def test_silent_receiver_does_not_keep_an_instance_from_sending_to_others(
    environ: dict[str, str], server: ScriptedServer
) -> None:
    concurrency = TOPOLOGY["webhook"].concurrency
    server.answers = [SILENCE]
    function = wiring.channel("webhook", [Http], environ, receiver_of)
    with serving() as other, ThreadPoolExecutor(concurrency) as instance:
        silent = [instance.submit(push_to, server, function) for _ in range(concurrency)]
        assert instance.submit(push_to, other, function).result(timeout=60) == 204
        deadline = time.monotonic() + 10  # on a busy machine, some still wait for their place
        while (in_work := sum(not each.done() for each in silent)) > concurrency // 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        server.closing.set()
    assert in_work == len(server.asked) == concurrency // 4


def push_to(server: ScriptedServer, function: Lazy[Handler]) -> int:
    return respond(make_push(fresh("webhook", recipient=server.url)), function)[1]
