"""Real servers for tests. Each is started once per session, when the first test needs it."""

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest
from google.cloud.firestore import Client
from google.pubsub_v1 import PublisherClient, SubscriberClient
from psycopg.conninfo import make_conninfo

from local import emulators as google
from local import postgres
from local.config import WORKER_ROLE
from local.emulators import Emulators
from local.processes import free_port
from local.pubsub_setup import clients
from postgres.pool import Pool, make_pool
from shared import outcomes
from shared.outcomes import Outcome
from shared.topology import OUTCOMES_TOPIC

NewDatabase = Callable[[str], AbstractContextManager[str]]
"""A database with the newest schema during a block, whose name begins with the argument; gives its URL."""
Arrived = Callable[[int], list[Outcome]]
"""Waits for that many new outcomes and returns them."""
UNIT = Path(__file__).parent / "unit"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the unit tests first: they are the fastest, and Hypothesis needs a process in which no server runs yet."""
    items.sort(key=lambda item: UNIT not in item.path.parents)


@pytest.fixture(scope="session")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    """Google's Pub/Sub and Firestore emulators, empty, with the environment with which the SDKs use them."""
    try:
        running = google.start(tmp_path_factory.mktemp("emulators"))
    except google.EmulatorsMissing as missing:
        pytest.skip(f"Google's emulators cannot run here: {', '.join(missing.missing)}.")
    try:
        running.wait_ready()
        with pytest.MonkeyPatch.context() as environment:
            for name, value in running.address.environment.items():
                environment.setenv(name, value)
            yield running.address
    finally:
        running.stop()


@pytest.fixture
def project(emulators: Emulators) -> str:  # noqa: ARG001 - the emulators must run
    """The name of a new project. The emulators keep projects apart, so tests do not see each other's data."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def server_directory() -> Iterator[Path]:
    """A directory for the data of servers that run as another user.

    Each start of pytest closes its directory of temporary files to other users, also to the Postgres of another run.
    """
    with tempfile.TemporaryDirectory(prefix="heliograph-tests-") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def postgres_server_url(server_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server on which tests may create databases: DATABASE_URL, or an embedded server."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    log = tmp_path_factory.mktemp("postgres") / "postgres.log"
    options = ["fsync=off", "full_page_writes=off"]
    with postgres.running(server_directory / "postgres", log=log, options=options) as server:
        yield server.url


@pytest.fixture(scope="session")
def new_database(postgres_server_url: str) -> Iterator[NewDatabase]:
    """Makes databases with the newest schema. They are copies: to migrate each would take a second or two."""
    template = f"heliograph_test_template_{uuid.uuid4().hex[:8]}"

    def copied(name: str) -> AbstractContextManager[str]:
        return postgres.database(postgres_server_url, f"{name}_{uuid.uuid4().hex[:8]}", template)

    with postgres.database(postgres_server_url, template) as url:
        postgres.migrate(url)
        yield copied


@pytest.fixture(scope="session")
def postgres_url(new_database: NewDatabase) -> Iterator[str]:
    """The URL of a new database with the newest schema."""
    with new_database("heliograph_test") as url:
        yield url


@pytest.fixture
def nowhere() -> str:
    """An address where nothing listens."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def firestore(project: str) -> Client:
    return Client(project=project)


@pytest.fixture(scope="session")
def worker_pool(postgres_url: str) -> Iterator[Pool]:
    """Connections with the role of the worker, which may touch the schemas ``transport`` and ``state`` only."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute(f"alter role {WORKER_ROLE} login")
    with make_pool(make_conninfo(postgres_url, user=WORKER_ROLE), 8) as pool:
        yield pool


@pytest.fixture
def state(worker_pool: Pool, postgres_url: str) -> Pool:
    """``worker_pool``, while the schema ``state`` is empty."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("truncate state.ledger, state.switches, state.inbox, state.inbox_heads, state.erased")
    return worker_pool


@pytest.fixture
def arrived(emulators: Emulators, project: str) -> Iterator[Arrived]:
    """The topic of outcomes in the Pub/Sub emulator, with a subscription that keeps them."""
    with clients(emulators.pubsub_host) as (publisher, subscriber):
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
