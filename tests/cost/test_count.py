"""What the taps make of real calls."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import grpc
import pytest
import urllib3
from google.api_core.exceptions import NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.types import PubsubMessage

from cost import billed
from cost.count import averaged
from cost.taps import GrpcTap, HttpTap, Tally
from functions.runtime.ledger import Claimed, Finished, FirestoreLedger
from functions.runtime.switchboard import Table, read_table
from local.emulators import Emulators
from tests.factories import make_outcome

LEASE = timedelta(seconds=90)


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
def firestore(emulators: Emulators, project: str, tally: Tally, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Firestore's own client, talking through a tap."""
    with GrpcTap(emulators.firestore_host, billed.firestore, tally, "firestore") as tap:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", tap.host)
        yield Client(project=project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]  # published without types


@pytest.mark.emulators
def test_a_delivery_is_two_writes_of_one_document(firestore: Client, tally: Tally) -> None:
    ledger = FirestoreLedger(firestore, LEASE)
    claim = ledger.claim("d.0", datetime.now(UTC))
    assert isinstance(claim, Claimed)
    ledger.finish(claim, make_outcome(at=datetime.now(UTC)))
    counted = averaged({**tally.read()}, 1, datetime.now(UTC).timestamp())
    assert (counted.firestore_writes, counted.firestore_reads, counted.firestore_calls) == (2, 0, 2)
    assert counted.firestore_documents == 1
    assert counted.kept_days == pytest.approx(14, abs=0.01)
    assert counted.document_bytes > len(make_outcome().notification_id)


@pytest.mark.emulators
def test_a_repeated_delivery_is_a_refused_write_and_a_read(firestore: Client, tally: Tally) -> None:
    ledger = FirestoreLedger(firestore, LEASE)
    claim = ledger.claim("d.0", datetime.now(UTC))
    assert isinstance(claim, Claimed)
    ledger.finish(claim, make_outcome())
    before = tally.read()
    assert isinstance(ledger.claim("d.0", datetime.now(UTC)), Finished)
    after = tally.read()
    assert after["firestore.refused_writes"] == 1
    assert (before.get("firestore.reads"), after["firestore.reads"]) == (None, 1)
    assert after["firestore.writes"] == before["firestore.writes"]


@pytest.mark.emulators
def test_a_document_that_is_not_there_is_a_read_all_the_same(firestore: Client, tally: Tally) -> None:
    assert not firestore.collection("c").document("none").get().exists
    assert tally.read()["firestore.reads"] == 1


@pytest.mark.emulators
def test_reading_the_switchboard_is_no_deliverys_read(firestore: Client, tally: Tally) -> None:
    assert read_table(firestore) == Table()
    counts = tally.read()
    assert (counts["firestore.switchboard_reads"], counts["firestore.reads"], counts["firestore.calls"]) == (1, 0, 0)


@pytest.mark.emulators
def test_a_deleted_document_is_a_delete_and_no_write(firestore: Client, tally: Tally) -> None:
    document = firestore.collection("c").document("d")
    document.create({"a": 1})
    document.delete()
    counts = tally.read()
    assert (counts["firestore.writes"], counts["firestore.deletes"]) == (1, 1)


@pytest.mark.emulators
def test_messages_are_counted_with_the_size_that_pubsub_bills(emulators: Emulators, project: str, tally: Tally) -> None:
    with (
        GrpcTap(emulators.pubsub_host, billed.publish, tally, "relay") as tap,
        grpc.insecure_channel(tap.host) as connection,
    ):
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=connection))
        topic = publisher.topic_path(project, "topic")
        publisher.create_topic(name=topic)
        messages = [PubsubMessage(data=b"12345", attributes={"channel": "é"}), PubsubMessage(data=b"1")]
        publisher.publish(topic=topic, messages=messages)
    counts = tally.read()
    assert counts["relay.messages"] == 2
    assert counts["relay.message_bytes"] == (5 + len("channel") + 2 + 20 + 16) + (1 + 20 + 16)
    assert counts["relay.call_bytes"] > counts["relay.message_bytes"] - 2 * (20 + 16)


@pytest.mark.emulators
def test_an_error_passes_through_a_tap(emulators: Emulators, project: str, tally: Tally) -> None:
    with (
        GrpcTap(emulators.pubsub_host, billed.publish, tally, "relay") as tap,
        grpc.insecure_channel(tap.host) as connection,
    ):
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=connection))
        with pytest.raises(NotFound):
            publisher.get_topic(topic=publisher.topic_path(project, "none"))


class Echo(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(418)
        self.send_header("X-Path", self.path)
        self.send_header("X-Token", self.headers["Authorization"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name the base class gave
        pass


@pytest.fixture
def echo() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_push_passes_through_a_tap_unchanged_and_is_counted(echo: str, tally: Tally) -> None:
    with HttpTap(echo, tally, "push") as tap:
        answer = urllib3.request(
            "POST", f"{tap.url}/a?b=c", body=b"12345", headers={"Authorization": "Bearer t"}, retries=False
        )
    assert (answer.status, answer.data) == (418, b"12345")
    assert (answer.headers["X-Path"], answer.headers["X-Token"]) == ("/a?b=c", "Bearer t")
    counts = tally.read()
    assert counts["push.calls"] == 1
    assert counts["push.bytes"] > len("POST /a?b=c HTTP/1.1\r\nAuthorization: Bearer t\r\n\r\n12345")
    assert counts["push.seconds"] > 0


def test_counts_are_averaged_over_the_deliveries() -> None:
    counts = {"push.calls": 22, "push.seconds": 1.1, "firestore.writes": 40, "relay.messages": 20, "log.bytes": 800}
    counted = averaged(counts, 20, now=0)
    assert (counted.pushes, counted.firestore_writes, counted.log_bytes) == (1.1, 2, 40)
    assert counted.function_seconds == pytest.approx(0.05)
    assert (counted.firestore_reads, counted.kept_days, counted.provider_calls) == (0, 0, 0)
