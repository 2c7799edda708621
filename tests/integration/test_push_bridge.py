"""The push bridge between the real Pub/Sub emulator and a scripted receiver behind the OIDC gate."""

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import httpx
import pytest
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.types import PubsubMessage

from local import pubsub_setup
from local.emulators import Emulators
from local.processes import free_port
from shared import pubsub_push
from shared.pubsub_push import Push
from shared.topology import NOTIFICATIONS_TOPIC, TOPOLOGY, RetryProfile, subscriptions
from tests.pushing import bridging, gated, serving

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

pytestmark = pytest.mark.emulators

SMS = TOPOLOGY["sms"]
TIMEOUT_SECONDS = 20


@dataclass
class Receiver:
    """Responds to pushes with ``statuses`` in turn, then always with the last. ``received`` has the bodies, by path."""

    statuses: list[str] = field(default_factory=lambda: ["204 No Content"])
    received: dict[str, SimpleQueue[bytes]] = field(
        default_factory=lambda: {"/sms": SimpleQueue(), "/dead": SimpleQueue()}
    )

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        path = environ["PATH_INFO"]
        self.received[path].put(body)
        status = "204 No Content"
        if path == "/sms":
            status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        start_response(status, [])
        return []

    def reset(self) -> None:
        self.statuses = ["204 No Content"]
        for pushes in self.received.values():
            while not pushes.empty():
                pushes.get()

    def next_body(self, path: str = "/sms") -> bytes:
        return self.received[path].get(timeout=TIMEOUT_SECONDS)

    def next_push(self, path: str = "/sms") -> Push:
        return pubsub_push.decode(self.next_body(path))


@dataclass
class Bridged:
    """The emulator, the bridge, and the receiver behind the gate."""

    project: str
    emulators: Emulators
    receiver: Receiver
    receiver_url: str
    bridge_url: str

    def stats(self) -> dict[str, int]:
        """What the bridge counted for the subscription of SMS."""
        counted: dict[str, int] = httpx.get(f"{self.bridge_url}/stats").json()[SMS.subscription]
        return counted

    def publish(self, data: bytes, **attributes: str) -> str:
        with pubsub_setup.clients(self.emulators.pubsub_host) as (publisher, _):
            topic = PublisherClient.topic_path(self.project, NOTIFICATIONS_TOPIC)
            response = publisher.publish(topic=topic, messages=[PubsubMessage(data=data, attributes=attributes)])
            message_id: str = response.message_ids[0]
            return message_id


@contextmanager
def receiving(emulators: Emulators, project: str, log: Path, pauses: RetryProfile) -> Iterator[Bridged]:
    """A bridge in a project of its own. ``pauses`` shortens those of the push back-off."""
    pubsub_setup.create(emulators.pubsub_host, project, subscriptions(RetryProfile.UNIT_TEST))
    bridge_port, receiver = free_port(), Receiver()
    with serving(gated(receiver, bridge_port), free_port()) as url:
        urls = {SMS.subscription: f"{url}/sms", SMS.dead_letter_subscription: f"{url}/dead"}
        with bridging(emulators.pubsub_host, project, urls, log, pauses, bridge_port) as bridge_url:
            yield Bridged(project, emulators, receiver, url, bridge_url)


@pytest.fixture(scope="module")
def bridge(emulators: Emulators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridged]:
    log = tmp_path_factory.mktemp("bridge") / "bridge.log"
    with receiving(emulators, "test-push-bridge", log, RetryProfile.UNIT_TEST) as bridge:
        yield bridge


@pytest.fixture
def bridged(bridge: Bridged) -> Bridged:
    """The bridge, with a receiver that accepts everything and has received nothing."""
    bridge.receiver.reset()
    return bridge


def test_push_has_pubsubs_wrapped_body_and_passes_the_gate(bridged: Bridged) -> None:
    message_id = bridged.publish(b"\x00data", channel="sms", slug="sms")

    body = json.loads(bridged.receiver.next_body())

    message = body["message"]
    assert base64.b64decode(message["data"]) == b"\x00data"
    assert message["attributes"] == {"channel": "sms", "slug": "sms"}
    assert message["messageId"] == message["message_id"] == message_id
    published = datetime.fromisoformat(message["publishTime"])
    assert abs(datetime.now(UTC) - published) < timedelta(minutes=1)
    assert message["publishTime"] == message["publish_time"]
    assert body["subscription"] == f"projects/{bridged.project}/subscriptions/{SMS.subscription}"
    assert body["deliveryAttempt"] == 1


def test_message_that_the_filter_does_not_match_is_not_pushed(bridged: Bridged) -> None:
    bridged.publish(b"not for us", channel="email")
    bridged.publish(b"without a channel")
    bridged.publish(b"for us", channel="sms")

    assert bridged.receiver.next_push().message.data == b"for us"
    with pytest.raises(Empty):
        bridged.receiver.received["/sms"].get(timeout=1)


def test_refused_push_is_repeated_with_the_next_attempt_until_accepted(bridged: Bridged) -> None:
    bridged.receiver.statuses = ["503 Service Unavailable", "500 Internal Server Error", "202 Accepted"]
    bridged.publish(b"data", channel="sms")

    assert [bridged.receiver.next_push().delivery_attempt for _ in range(3)] == [1, 2, 3]
    with pytest.raises(Empty):
        bridged.receiver.received["/sms"].get(timeout=1)


def test_message_refused_in_every_attempt_is_pushed_as_a_dead_letter(bridged: Bridged) -> None:
    bridged.receiver.statuses = ["503 Service Unavailable"]
    bridged.publish(b"data", channel="sms", delivery_id="d1")

    letter = bridged.receiver.next_push("/dead").message

    assert letter.data == b"data"
    assert letter.attributes["delivery_id"] == "d1"
    assert bridged.receiver.received["/sms"].qsize() == RetryProfile.UNIT_TEST.attempts


def test_refused_pushes_delay_every_message_of_the_subscription(emulators: Emulators, tmp_path: Path) -> None:
    with receiving(emulators, "test-push-backoff", tmp_path / "bridge.log", RetryProfile.PRODUCTION) as bridged:
        bridged.publish(b"accepted", channel="sms")
        assert bridged.receiver.next_push().message.data == b"accepted"
        assert bridged.stats().get("delayed", 0) == 0

        bridged.receiver.statuses = ["503 Service Unavailable"] * 3 + ["204 No Content"]
        bridged.publish(b"refused", channel="sms")
        assert [bridged.receiver.next_push().message.data for _ in range(3)] == [b"refused"] * 3
        bridged.publish(b"another", channel="sms")
        last = {bridged.receiver.next_push().message.data for _ in range(2)}

        assert last == {b"refused", b"another"}
        assert bridged.stats()["delayed"] >= 3, "the second and third attempt, and the other message"


@pytest.mark.parametrize("authorization", [None, "Bearer nonsense", "Basic YTpi"])
def test_gate_refuses_a_request_without_the_push_services_token(bridged: Bridged, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}

    response = httpx.post(f"{bridged.receiver_url}/sms", json={}, headers=headers)

    assert response.status_code == 401
    assert bridged.receiver.received["/sms"].empty()
