"""Real servers for tests. Each is started once per session, when the first test needs it."""

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import emulators as google
from local import postgres
from local.emulators import Emulators

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
def postgres_url(postgres_server_url: str) -> Iterator[str]:
    """The URL of a new database with the newest schema."""
    with postgres.database(postgres_server_url, f"heliograph_test_{uuid.uuid4().hex[:8]}") as url:
        postgres.migrate(url)
        yield url
