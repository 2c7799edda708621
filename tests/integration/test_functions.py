"""Each function as it is wired in production: real SDKs, the ledger and the outcomes on Google's emulators."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import firebase_admin
import pytest
from firebase_admin import messaging
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client
from google.pubsub_v1 import PublisherClient, SubscriberClient

from functions.dead_letter import handler as dead_letter
from functions.email.sendgrid import SendGrid
from functions.email.smtp import Smtp
from functions.inapp import handler as inapp
from functions.inapp.inbox import inbox_of
from functions.push.fcm import Fcm
from functions.runtime import wiring
from functions.runtime.lazy import Lazy
from functions.runtime.provider import Adapter
from functions.runtime.push import respond
from functions.sms.twilio import Twilio
from functions.webhook.http import Http
from local import topology
from local.emulators import Emulators
from shared import outcomes
from shared.envelope import Command, Delivery
from shared.outcomes import Outcome
from shared.topology import OUTCOMES_TOPIC
from tests.factories import make_delivery, make_push
from tests.providers.server import Answer, ScriptedServer, serving

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
Outcomes = Callable[[int], list[Outcome]]


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """The functions send every record to standard output; here that ends with the test."""
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
def published(emulators: Emulators, project: str) -> Iterator[Outcomes]:
    """Waits for as many new outcomes as one asks for, and gives them."""
    with topology.clients(emulators.pubsub_host) as (publisher, subscriber):
        topic = publisher.create_topic(name=PublisherClient.topic_path(project, OUTCOMES_TOPIC)).name
        kept = SubscriberClient.subscription_path(project, "kept")
        subscriber.create_subscription(name=kept, topic=topic)

        def pull(count: int) -> list[Outcome]:
            found: list[Outcome] = []
            while len(found) < count:
                pulled = subscriber.pull(subscription=kept, max_messages=10, timeout=10).received_messages
                subscriber.acknowledge(subscription=kept, ack_ids=[each.ack_id for each in pulled])
                found += [outcomes.decode(each.message.data) for each in pulled]
            return found

        yield pull


@pytest.fixture
def firebase(server: ScriptedServer) -> Iterator[None]:
    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call] # it has no types
    app = firebase_admin.initialize_app(anonymous, {"projectId": "p"})
    with pytest.MonkeyPatch.context() as sdk:  # the SDK has no setting for its address
        sdk.setattr(messaging._MessagingService, "FCM_URL", server.url + "/{0}")  # noqa: SLF001 - likewise
        yield
    firebase_admin.delete_app(app)


def fresh(channel: str, **given: object) -> Delivery:
    return make_delivery(channel, expires_at=datetime.now(UTC) + timedelta(hours=1), **given)


@pytest.mark.usefixtures("firebase")
@pytest.mark.parametrize("kind", ADAPTERS)
def test_a_delivery_goes_to_the_provider_once_and_is_reported(
    kind: str, environ: dict[str, str], server: ScriptedServer, published: Outcomes
) -> None:
    server.answers = [ANSWERS[kind]]
    delivery = fresh(kind, **({"recipient": server.url} if kind == "webhook" else {}))
    function = wiring.channel(kind, ADAPTERS[kind], environ)
    assert [respond(make_push(delivery), function)[1] for _ in range(2)] == [204, 204]
    assert len(server.asked) == 1
    first, again = published(2)
    assert first == again
    assert (first.result, first.provider_message_id) == ("sent", delivery.delivery_id if kind == "webhook" else "id-1")


def test_an_email_that_sendgrid_cannot_take_goes_by_smtp_or_waits(
    environ: dict[str, str], server: ScriptedServer, published: Outcomes, nowhere: str
) -> None:
    server.answers = [Answer(503)]
    function = wiring.channel("email", ADAPTERS["email"], environ | {"SMTP_URL": f"smtp://{nowhere}"})
    assert respond(make_push(fresh("email")), function)[1] == 503
    (attempt,) = published(1)
    assert (attempt.result, attempt.provider, attempt.reason) == ("attempt", "smtp", "unreachable")


def test_the_inbox_takes_deliveries_and_commands(environ: dict[str, str], project: str, published: Outcomes) -> None:
    function = Lazy(lambda: inapp.connect(environ))
    delivery = fresh("inapp")
    read = Command(
        v=1, command="read", at=datetime.now(UTC), user_id="ada", notification_ids=[delivery.notification_id]
    )
    assert respond(make_push(read), function)[1] == 503, "it has overtaken its notification"
    assert respond(make_push(delivery), function)[1] == 204
    assert respond(make_push(read), function)[1] == 204
    assert [outcome.result for outcome in published(1)] == ["sent"]
    (document,) = inbox_of(Client(project=project), "ada").stream()
    assert document.get("read_at") == read.at


def test_a_channel_that_is_switched_off_suppresses_what_is_in_flight(
    environ: dict[str, str], server: ScriptedServer, published: Outcomes
) -> None:
    switch = Command(v=1, command="channels", at=datetime.now(UTC), channels={"sms-marketing": False}, version=1)
    respond(make_push(switch), Lazy(lambda: inapp.connect(environ)))
    function = wiring.channel("sms", ADAPTERS["sms"], environ)
    assert respond(make_push(fresh("sms", channel="sms-marketing")), function)[1] == 204
    assert [(outcome.result, outcome.reason) for outcome in published(1)] == [("suppressed", "channel_off")]
    assert server.asked == []


def test_what_was_given_up_on_is_dead_unless_it_got_through(
    environ: dict[str, str], server: ScriptedServer, published: Outcomes
) -> None:
    server.answers = [ANSWERS["sms"]]
    sent, lost = fresh("sms"), fresh("sms")
    respond(make_push(sent), wiring.channel("sms", ADAPTERS["sms"], environ))
    assert [outcome.result for outcome in published(1)] == ["sent"]
    function = Lazy(lambda: dead_letter.connect(environ))
    assert [respond(make_push(each, None), function)[1] for each in (sent, lost)] == [204, 204]
    results = {outcome.delivery_id: outcome.result for outcome in published(2)}
    assert results == {sent.delivery_id: "sent", lost.delivery_id: "dead"}
