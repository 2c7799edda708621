"""The push bridge between the real emulator and a gated receiver that answers by script."""

import base64
import json
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import jwt
import pytest
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.types import PubsubMessage

from local import pubsub_setup as topology
from local.emulators import Emulators
from local.oidc_gate import Gate
from local.processes import Child, answers, free_port
from shared.topology import NOTIFICATIONS_TOPIC, TOPOLOGY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

pytestmark = pytest.mark.emulators

SMS = TOPOLOGY["sms"]
SERVICE_ACCOUNT = "push@heliograph.test"
AUDIENCE = "https://sms.test"
PATIENCE_SECONDS = 20


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name the base class gave
        pass


@dataclass
class Receiver:
    """Answers pushes with ``statuses`` in turn (the last one for ever) and keeps what it was sent, by path."""

    statuses: list[str] = field(default_factory=lambda: ["204 No Content"])
    received: dict[str, SimpleQueue[dict[str, Any]]] = field(
        default_factory=lambda: {"/sms": SimpleQueue(), "/dead": SimpleQueue()}
    )

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        path = environ["PATH_INFO"]
        self.received[path].put(body)
        status = "204 No Content"
        if path == "/sms":
            status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        start_response(status, [])
        return []

    def forget(self) -> None:
        self.statuses = ["204 No Content"]
        for pushes in self.received.values():
            while not pushes.empty():
                pushes.get()

    def next(self, path: str = "/sms") -> dict[str, Any]:
        return self.received[path].get(timeout=PATIENCE_SECONDS)


@dataclass
class Bridged:
    """The emulator's topology, the bridge, and the gated receiver behind it."""

    project: str
    emulators: Emulators
    receiver: Receiver
    receiver_url: str

    def publish(self, data: bytes, **attributes: str) -> str:
        with topology.clients(self.emulators.pubsub_host) as (publisher, _):
            topic = PublisherClient.topic_path(self.project, NOTIFICATIONS_TOPIC)
            answer = publisher.publish(topic=topic, messages=[PubsubMessage(data=data, attributes=attributes)])
            message_id: str = answer.message_ids[0]
            return message_id


@contextmanager
def serving(application: Gate, port: int) -> Iterator[None]:
    with make_server("127.0.0.1", port, application, handler_class=QuietHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def bridge(emulators: Emulators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridged]:
    project = "test-push-bridge"
    topology.create(emulators.pubsub_host, project, topology.HASTY)
    port, bridge_port, receiver = free_port(), free_port(), Receiver()
    url = f"http://127.0.0.1:{port}"
    targets = {
        SMS.subscription: {"url": f"{url}/sms", "audience": AUDIENCE},
        SMS.dead_letter_subscription: {"url": f"{url}/dead", "audience": AUDIENCE},
    }
    environment = {
        "GOOGLE_CLOUD_PROJECT": project,
        "BRIDGE_PORT": str(bridge_port),
        "BRIDGE_SERVICE_ACCOUNT": SERVICE_ACCOUNT,
        "BRIDGE_TARGETS": json.dumps(targets),
    }
    gate = Gate(receiver, jwt.PyJWKClient(f"http://127.0.0.1:{bridge_port}/certs"), AUDIENCE, SERVICE_ACCOUNT)
    argv = [sys.executable, "-m", "local.push_bridge"]
    with serving(gate, port):
        process = Child.start(
            "push_bridge", argv, log=tmp_path_factory.mktemp("bridge") / "bridge.log", env=os.environ | environment
        )
        try:
            process.wait_ready(lambda: answers(f"http://127.0.0.1:{bridge_port}/health"), PATIENCE_SECONDS)
            yield Bridged(project, emulators, receiver, url)
        finally:
            process.stop()


@pytest.fixture
def bridged(bridge: Bridged) -> Bridged:
    """The bridge, with a receiver that takes everything and has seen nothing."""
    bridge.receiver.forget()
    return bridge


def test_a_push_is_wrapped_as_pubsub_wraps_it_and_passes_the_gate(bridged: Bridged) -> None:
    message_id = bridged.publish(b"\x00words", channel="sms", slug="sms")

    push = bridged.receiver.next()

    assert base64.b64decode(push["message"]["data"]) == b"\x00words"
    assert push["message"]["attributes"] == {"channel": "sms", "slug": "sms"}
    assert push["message"]["messageId"] == message_id
    assert push["message"]["publishTime"].endswith("Z")
    assert push["subscription"] == f"projects/{bridged.project}/subscriptions/{SMS.subscription}"
    assert push["deliveryAttempt"] == 1


def test_what_the_filter_does_not_match_is_never_pushed(bridged: Bridged) -> None:
    bridged.publish(b"not for us", channel="email")
    bridged.publish(b"without a channel")
    bridged.publish(b"for us", channel="sms")

    assert base64.b64decode(bridged.receiver.next()["message"]["data"]) == b"for us"
    with pytest.raises(Empty):
        bridged.receiver.received["/sms"].get(timeout=1)


def test_a_refused_push_comes_again_with_the_next_attempt_until_it_is_taken(bridged: Bridged) -> None:
    bridged.receiver.statuses = ["503 Service Unavailable", "500 Internal Server Error", "202 Accepted"]
    bridged.publish(b"words", channel="sms")

    assert [bridged.receiver.next()["deliveryAttempt"] for _ in range(3)] == [1, 2, 3]
    with pytest.raises(Empty):
        bridged.receiver.received["/sms"].get(timeout=1)


def test_a_message_refused_to_the_end_is_pushed_as_a_dead_letter(bridged: Bridged) -> None:
    bridged.receiver.statuses = ["503 Service Unavailable"]
    bridged.publish(b"words", channel="sms", delivery_id="d1")

    letter = bridged.receiver.next("/dead")

    assert base64.b64decode(letter["message"]["data"]) == b"words"
    assert letter["message"]["attributes"]["delivery_id"] == "d1"
    assert bridged.receiver.received["/sms"].qsize() == topology.HASTY.attempts


@pytest.mark.parametrize("authorization", [None, "Bearer nonsense", "Basic YTpi"])
def test_the_gate_lets_nobody_else_in(bridged: Bridged, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}

    answer = httpx.post(f"{bridged.receiver_url}/sms", json={}, headers=headers)

    assert answer.status_code == 401
    assert bridged.receiver.received["/sms"].empty()
