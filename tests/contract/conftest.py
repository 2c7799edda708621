"""A server of each transport, for one test module."""

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from local import postgres
from local import redis_server as redis
from local.postgres import Postgres
from local.processes import StartFailed, free_port
from local.rabbitmq_server import RabbitmqMissing, RabbitmqServer, installed
from local.redis_server import RedisServer
from postgres.pool import make_pool
from tests.contract.inboxes import Inboxes, in_firestore, in_memory, in_postgres
from tests.contract.rabbitmq import Rabbitmq
from tests.contract.transports import Server, connect_redis
from transport.connect import Transport
from transport.postgres import PostgresTransport


@pytest.fixture(scope="module")
def postgres_server(server_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Postgres of its own, because the tests kill it."""
    data = server_directory / f"contract-{os.urandom(4).hex()}"
    server = Postgres(data, tmp_path_factory.mktemp("contract") / "postgres.log", ("fsync=off",))
    server.prepare()
    running = [server.start()]
    running[0].wait_ready(server.ready, postgres.READY_SECONDS)
    postgres.migrate(server.url)

    def connect() -> Transport:
        pool = make_pool(server.url, 8)
        pool.open()
        return _Owning(pool, server.url)

    def kill() -> None:
        running[0].kill()

    def restart() -> None:
        deadline = time.monotonic() + postgres.READY_SECONDS
        while True:
            running[0] = server.start()
            try:
                running[0].wait_ready(server.ready, postgres.READY_SECONDS)
            except StartFailed:  # the backends of the killed server hold its shared memory until they notice
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    try:
        yield Server(connect, kill, restart, {"HELIOGRAPH_PROFILE": "postgres", "DATABASE_URL": server.url})
    finally:
        running[0].stop()
        server.remove_socket()


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Redis of its own, because the tests kill it.

    It keeps what it has confirmed (``always``). With ``everysec``, it confirms messages that it has not yet written
    while an earlier write goes to the disk; then the epoch shows the loss (``test_redis_server.py``).
    """
    folder = tmp_path_factory.mktemp("redis")
    options = ("--appendfsync", "always")
    with running_redis(RedisServer(folder / "data", folder / "redis.log", free_port(), options)) as server:
        yield server


@contextmanager
def running_redis(server: RedisServer) -> Iterator[Server]:
    running = [server.start()]
    running[0].wait_ready(server.ready, redis.READY_SECONDS)

    def kill() -> None:
        running[0].kill()

    def restart() -> None:
        running[0] = server.start()
        running[0].wait_ready(server.ready, redis.READY_SECONDS)

    try:
        environment = {"HELIOGRAPH_PROFILE": "redis", "REDIS_URL": server.url}
        yield Server(lambda: connect_redis(server.url), kill, restart, environment)
    finally:
        running[0].stop()


class _Owning(PostgresTransport):
    """Closes its pool too."""

    def close(self) -> None:
        super().close()
        self._pool.close()


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbitmq]:
    """A RabbitMQ of its own, because the tests kill it."""
    if not installed():
        pytest.skip(str(RabbitmqMissing()))
    directory = tmp_path_factory.mktemp("contract")
    with Rabbitmq(RabbitmqServer(directory / "rabbitmq", directory / "rabbitmq.log")).running() as rabbitmq:
        yield rabbitmq


@pytest.fixture(scope="module")
def rabbitmq_server(rabbitmq: Rabbitmq) -> Server:
    environment = {"HELIOGRAPH_PROFILE": "rabbitmq", "AMQP_URL": rabbitmq.url}
    return Server(rabbitmq.connect, rabbitmq.kill, rabbitmq.start, environment)


@pytest.fixture(scope="module", params=["postgres", "redis", "rabbitmq"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(f"{request.param}_server")
    return found


@pytest.fixture
def transport(server: Server) -> Iterator[Transport]:
    with closing(server.connect()) as transport:
        yield transport


@pytest.fixture(params=["memory", "postgres", pytest.param("firestore", marks=pytest.mark.emulators)])
def inboxes(request: pytest.FixtureRequest) -> Inboxes:
    if request.param == "memory":
        return in_memory()
    if request.param == "postgres":
        return in_postgres(request.getfixturevalue("state"))
    return in_firestore(request.getfixturevalue("firestore"))
