"""What the counting proxies count of real calls."""

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
from cost.count import average
from cost.counting_proxies import Counters, GrpcCountingProxy, HttpCountingProxy
from cost.model import DatabaseCounts
from functions.google.inbox import inbox_of
from functions.google.ledger import FirestoreLedger
from functions.google.services import LEDGER_DATABASE
from functions.google.switches import FirestoreSwitchStore
from functions.runtime.ledger import Claimed, Finished
from functions.runtime.switches import SwitchTable
from local.emulators import Emulators
from tests.factories import make_outcome

LEASE = timedelta(seconds=90)


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def firestore(
    emulators: Emulators, project: str, counters: Counters, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    """Google's client of the ledger's database, connected through a counting proxy."""
    with GrpcCountingProxy(emulators.firestore_host, billed.firestore, counters, "firestore") as proxy:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", proxy.host)
        yield Client(project=project, database=LEDGER_DATABASE, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]  # published without types


@pytest.mark.emulators
def test_claim_and_finish_are_two_writes_of_one_document(firestore: Client, counters: Counters) -> None:
    ledger = FirestoreLedger(firestore, LEASE)
    claim = ledger.claim("d.0", datetime.now(UTC))
    assert isinstance(claim, Claimed)
    ledger.finish(claim, make_outcome(at=datetime.now(UTC)))
    counts = average(counters.read(), 1, datetime.now(UTC).timestamp())
    assert (counts.ledger.writes, counts.ledger.reads, counts.firestore_calls) == (2, 0, 2)
    assert counts.ledger.documents == 1
    assert counts.ledger.kept_days == pytest.approx(14, abs=0.01)
    assert counts.ledger.document_bytes > len(make_outcome().notification_id)
    assert counts.inbox == DatabaseCounts(reads=0, writes=0, documents=0, document_bytes=0, kept_days=0)


@pytest.mark.emulators
def test_calls_to_the_clients_database_are_counted_as_the_inboxs(firestore: Client, counters: Counters) -> None:
    inboxes = Client(project=firestore.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]  # published without types
    inbox = inbox_of(inboxes, "ada")
    inbox.document("n").create({"expire_at": datetime.now(UTC) + timedelta(days=90)})
    inbox.document("n").get()
    assert len(list(inbox.stream())) == 1
    counts = average(counters.read(), 1, datetime.now(UTC).timestamp())
    assert (counts.inbox.writes, counts.inbox.documents, counts.inbox.reads) == (1, 1, 2)
    assert counts.inbox.kept_days == pytest.approx(90, abs=0.01)
    assert counts.ledger == DatabaseCounts(reads=0, writes=0, documents=0, document_bytes=0, kept_days=0)


@pytest.mark.emulators
def test_claim_of_a_finished_delivery_is_a_refused_write_and_a_read(firestore: Client, counters: Counters) -> None:
    ledger = FirestoreLedger(firestore, LEASE)
    claim = ledger.claim("d.0", datetime.now(UTC))
    assert isinstance(claim, Claimed)
    ledger.finish(claim, make_outcome())
    before = counters.read()
    assert isinstance(ledger.claim("d.0", datetime.now(UTC)), Finished)
    after = counters.read()
    assert after["firestore.ledger_refused_writes"] == 1
    assert (before.get("firestore.ledger_reads"), after["firestore.ledger_reads"]) == (None, 1)
    assert after["firestore.ledger_writes"] == before["firestore.ledger_writes"]


@pytest.mark.emulators
def test_get_of_a_missing_document_is_a_read(firestore: Client, counters: Counters) -> None:
    assert not firestore.collection("c").document("none").get().exists
    assert counters.read()["firestore.ledger_reads"] == 1


@pytest.mark.emulators
def test_read_of_the_channel_switches_is_counted_apart(firestore: Client, counters: Counters) -> None:
    assert FirestoreSwitchStore(firestore).read() == SwitchTable()
    counts = counters.read()
    assert (counts["firestore.switch_reads"], counts["firestore.ledger_reads"], counts["firestore.calls"]) == (1, 0, 0)


@pytest.mark.emulators
def test_deletion_is_a_delete_and_no_write(firestore: Client, counters: Counters) -> None:
    document = firestore.collection("c").document("d")
    document.create({"a": 1})
    document.delete()
    counts = counters.read()
    assert (counts["firestore.ledger_writes"], counts["firestore.ledger_deletes"]) == (1, 1)


@pytest.mark.emulators
def test_published_messages_are_counted_with_the_size_that_pubsub_bills(
    emulators: Emulators, project: str, counters: Counters
) -> None:
    with (
        GrpcCountingProxy(emulators.pubsub_host, billed.publish, counters, "relay") as proxy,
        grpc.insecure_channel(proxy.host) as connection,
    ):
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=connection))
        topic = publisher.topic_path(project, "topic")
        publisher.create_topic(name=topic)
        messages = [PubsubMessage(data=b"12345", attributes={"channel": "é"}), PubsubMessage(data=b"1")]
        publisher.publish(topic=topic, messages=messages)
    counts = counters.read()
    assert counts["relay.messages"] == 2
    assert counts["relay.message_bytes"] == (5 + len("channel") + 2 + 20 + 16) + (1 + 20 + 16)
    assert counts["relay.call_bytes"] > counts["relay.message_bytes"] - 2 * (20 + 16)


@pytest.mark.emulators
def test_grpc_error_passes_through_the_proxy(emulators: Emulators, project: str, counters: Counters) -> None:
    with (
        GrpcCountingProxy(emulators.pubsub_host, billed.publish, counters, "relay") as proxy,
        grpc.insecure_channel(proxy.host) as connection,
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

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


@pytest.fixture
def echo() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_push_passes_through_the_proxy_unchanged_and_is_counted(echo: str, counters: Counters) -> None:
    with HttpCountingProxy(echo, counters, "push") as proxy:
        response = urllib3.request(
            "POST", f"{proxy.url}/a?b=c", body=b"12345", headers={"Authorization": "Bearer t"}, retries=False
        )
    assert (response.status, response.data) == (418, b"12345")
    assert (response.headers["X-Path"], response.headers["X-Token"]) == ("/a?b=c", "Bearer t")
    counts = counters.read()
    assert counts["push.calls"] == 1
    assert counts["push.bytes"] > len("POST /a?b=c HTTP/1.1\r\nAuthorization: Bearer t\r\n\r\n12345")
    assert counts["push.seconds"] > 0


def test_counts_are_divided_by_the_number_of_deliveries() -> None:
    counts = {
        "push.calls": 22,
        "push.seconds": 1.1,
        "firestore.ledger_writes": 40,
        "relay.messages": 20,
        "log.bytes": 800,
    }
    result = average(counts, 20, now=0)
    assert (result.pushes, result.ledger.writes, result.log_bytes) == (1.1, 2, 40)
    assert result.function_seconds == pytest.approx(0.05)
    assert (result.ledger.reads, result.ledger.kept_days, result.provider_calls) == (0, 0, 0)
