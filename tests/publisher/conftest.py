"""A publisher in a thread of its own, on a real port, with a real Postgres and the Pub/Sub emulator."""

import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local import postgres
from local.emulators import Emulators
from local.tokens import Signer
from publisher_api.settings import Settings
from shared.topology import NOTIFICATIONS_TOPIC
from tests.publisher.running import AUDIENCE, SERVICE_ACCOUNT, Publisher, create_api_key, serving
from tests.publisher.sweeping import Sweeping
from tests.publisher.topic import Inspected
from transport.pubsub import topic_path


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer(SERVICE_ACCOUNT)


@pytest.fixture(scope="session")
def certs_url(signer: Signer) -> Iterator[str]:
    class Certificates(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(signer.certificates).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Certificates) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/certs"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def settings(emulators: Emulators, postgres_url: str, certs_url: str) -> Settings:  # noqa: ARG001 - publishers find the emulator through the environment
    return Settings(
        database_url=postgres_url,
        project=f"publisher-{uuid.uuid4().hex[:8]}",
        topic=NOTIFICATIONS_TOPIC,
        push_audience=AUDIENCE,
        push_service_account=SERVICE_ACCOUNT,
        google_certs_url=certs_url,
    )


@pytest.fixture
def unswept(settings: Settings, postgres_server_url: str, publisher: Publisher) -> Iterator[Settings]:  # noqa: ARG001 - its topic
    """A database of this test's own that no publisher sweeps."""
    with postgres.database(postgres_server_url, f"unswept_{uuid.uuid4().hex[:8]}") as url:
        postgres.migrate(url)
        yield replace(settings, database_url=url)


@pytest.fixture
def sweeping(unswept: Settings) -> Iterator[Sweeping]:
    with Sweeping.of(unswept) as sweeping:
        yield sweeping


@pytest.fixture(scope="session")
def api_key(postgres_url: str) -> str:
    return create_api_key(postgres_url, "tests")


@pytest.fixture(scope="session")
def publisher(
    emulators: Emulators,
    settings: Settings,
    api_key: str,
    signer: Signer,
) -> Iterator[Publisher]:
    topic = Inspected(emulators.pubsub_host, topic_path(settings.project, settings.topic))
    topic.make()
    with serving(settings) as url:
        publisher = Publisher(url, api_key, settings.database_url, topic, signer)
        yield publisher
        publisher.http.close()
    topic.close()
