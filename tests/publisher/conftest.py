"""A publisher of each profile, in a thread of its own, on a real port: on Postgres, and with the Pub/Sub emulator."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local.emulators import Emulators
from local.tokens import Signer
from postgres.pool import make_pool
from publisher_api.settings import Settings
from shared.profile import Profile
from tests.conftest import NewDatabase
from tests.publisher.google import SERVICE_ACCOUNT, InspectedPubSub, Pusher, google_settings
from tests.publisher.limited import publisher_of_its_own, without_limits
from tests.publisher.own_inbox import INBOX, OwnInbox, Worker
from tests.publisher.running import Publisher, Reporter, create_api_key, serving
from tests.publisher.sweeping import Sweeping
from tests.publisher.topic import InspectedTable
from transport.pubsub import topic_path


@pytest.fixture(scope="session")
def settings(postgres_url: str) -> Settings:
    return Settings(database_url=postgres_url, profile=Profile.POSTGRES, inbox=INBOX)


@pytest.fixture
def unswept(settings: Settings, new_database: NewDatabase) -> Iterator[Settings]:
    """A database of this test's own that no publisher sweeps."""
    with new_database("unswept") as url:
        yield replace(settings, database_url=url)


@pytest.fixture
def sweeping(unswept: Settings) -> Iterator[Sweeping]:
    with Sweeping.of(unswept) as sweeping:
        yield sweeping


@pytest.fixture(scope="session")
def api_key(postgres_url: str) -> str:
    return create_api_key(postgres_url, "tests")


@pytest.fixture(scope="session")
def postgres_publisher(settings: Settings, api_key: str) -> Iterator[Publisher]:
    """A publisher in the postgres profile."""
    with make_pool(settings.database_url, 4) as pool, serving(settings) as url:
        publisher = Publisher(url, api_key, settings, InspectedTable(settings.database_url), Reporter(pool))
        yield publisher
        publisher.http.close()


@pytest.fixture(scope="session")
def publisher(postgres_publisher: Publisher) -> Publisher:
    """The publisher of every test that is not about Google."""
    return postgres_publisher


@pytest.fixture(scope="session")
def signer() -> Signer:
    """Signs tokens as Google does for its pushes."""
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
def google_publisher(
    emulators: Emulators, new_database: NewDatabase, certs_url: str, signer: Signer
) -> Iterator[Publisher]:
    """A publisher in the google profile, with a database of its own: the other publisher sweeps its own."""
    with new_database("google") as database_url:
        settings = google_settings(database_url, certs_url)
        assert settings.google
        topic = InspectedPubSub(emulators.pubsub_host, topic_path(settings.google.project, settings.google.topic))
        topic.make()
        with serving(settings) as url:
            key = create_api_key(database_url, "tests")
            publisher = Publisher(url, key, settings, topic, Pusher(url, signer))
            yield publisher
            publisher.http.close()
        topic.close()


@pytest.fixture
def google_unswept(google_publisher: Publisher, new_database: NewDatabase) -> Iterator[Settings]:
    """A database of this test's own that no publisher sweeps, and the topic of ``google_publisher``."""
    with new_database("unswept") as url:
        yield replace(google_publisher.settings, database_url=url)


@pytest.fixture(params=["postgres", pytest.param("google", marks=pytest.mark.emulators)])
def each_publisher(request: pytest.FixtureRequest) -> Publisher:
    """The publisher of each profile, for what must hold however outcomes are reported."""
    found: Publisher = request.getfixturevalue(f"{request.param}_publisher")
    return found


@pytest.fixture(scope="module")
def publisher_with_limits(settings: Settings, new_database: NewDatabase) -> Iterator[Publisher]:
    with publisher_of_its_own(settings, new_database) as own:
        yield own


@pytest.fixture
def limited(publisher_with_limits: Publisher) -> Publisher:
    """A publisher with a database of its own, in which each test declares its limits."""
    return without_limits(publisher_with_limits)


@pytest.fixture
def worker(publisher: Publisher) -> Iterator[Worker]:
    """What a worker does to inboxes."""
    worker = Worker(publisher)
    yield worker
    worker.close()


@pytest.fixture
def own(publisher: Publisher) -> Iterator[OwnInbox]:
    """The inbox of a user of this test's own, and calls of it."""
    own = OwnInbox(publisher)
    yield own
    own.http.close()
