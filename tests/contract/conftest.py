"""What the contracts run over.

======================  ===========================================  ========================================
file                    its tests run over                           fixture
======================  ===========================================  ========================================
``test_messaging.py``   every transport: a topic, and handlers       ``messaging``
``test_queues.py``      those with queues, that workers take from    ``connect``
``test_servers.py``     those whose server keeps what it has         ``server`` (``servers.py``)
``test_ledger.py``      memory, Postgres and Firestore; so do        ``state`` and ``firestore`` of
                        the other ports of ``functions.runtime``     ``tests/conftest.py``
======================  ===========================================  ========================================

The other files test what one implementation promises beyond its contract.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from local import pubsub_setup
from shared.topology import subscriptions
from tests.conftest import NewDatabase
from tests.contract.inboxes import Inboxes, in_firestore, in_memory, in_postgres
from tests.contract.messaging import PUBSUB, Messaging, PubSub, Queues
from tests.contract.servers import SERVERS
from tests.contract.transports import Connect, Server, drain
from tests.memory_transport import MemoryTransport
from transport.connect import Transport

Started = Callable[[str], Server]


@pytest.fixture(scope="package")
def started(server_directory: Path) -> Iterator[Started]:
    """Starts a server when the first test needs it. The tests have servers of their own, because they kill them."""
    servers: dict[str, Server] = {}
    with ExitStack() as stack:

        def start(name: str) -> Server:
            if name not in servers:
                folder = server_directory / f"{name}-{uuid.uuid4().hex[:8]}"
                folder.mkdir()
                servers[name] = stack.enter_context(SERVERS[name](folder))
            return servers[name]

        yield start


@pytest.fixture(scope="package", params=SERVERS)
def server(started: Started, request: pytest.FixtureRequest) -> Server:
    """A server that keeps what it has. It holds no messages at the start of the test."""
    return started(request.param)


@pytest.fixture(scope="package", params=["memory", *SERVERS])
def connect(started: Started, request: pytest.FixtureRequest) -> Connect:
    """Connects to a transport with queues."""
    if request.param == "memory":
        memory = MemoryTransport()
        return lambda: memory
    return started(request.param).connect


@pytest.fixture
def transport(connect: Connect) -> Iterator[Transport]:
    with closing(connect()) as transport:
        yield transport


@pytest.fixture(params=["memory", *SERVERS, pytest.param("pubsub", marks=pytest.mark.emulators)])
def messaging(started: Started, request: pytest.FixtureRequest, tmp_path: Path) -> Messaging:
    """A transport that holds no messages."""
    if request.param == "memory":
        memory = MemoryTransport()
        return Queues(lambda: memory)
    if request.param == "pubsub":
        host: str = request.getfixturevalue("emulators").pubsub_host
        project: str = request.getfixturevalue("project")
        pubsub_setup.create(host, project, map(PUBSUB.of, subscriptions()))
        return PubSub(host, project, tmp_path)
    connect = started(request.param).connect
    drain(connect)
    return Queues(connect)


@pytest.fixture
def database_url(new_database: NewDatabase) -> Iterator[str]:
    """A new database with the newest schema."""
    with new_database("epoch") as url:
        yield url


@pytest.fixture(params=["memory", "postgres", pytest.param("firestore", marks=pytest.mark.emulators)])
def inboxes(request: pytest.FixtureRequest) -> Inboxes:
    if request.param == "memory":
        return in_memory()
    if request.param == "postgres":
        return in_postgres(request.getfixturevalue("state"))
    return in_firestore(request.getfixturevalue("firestore"))
