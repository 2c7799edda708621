"""The servers of the transports that keep what was published when they are killed.

A new transport gets a function here, and its line in ``SERVERS``: then every test of ``test_messaging.py``,
``test_queues.py`` and ``test_servers.py`` runs over it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from local import postgres
from local.postgres import Postgres
from local.processes import Child, StartFailed, free_port
from local.rabbitmq_server import RabbitmqMissing, RabbitmqServer, installed
from local.redis_server import READY_SECONDS, RedisServer
from postgres.pool import make_pool
from tests.contract.rabbitmq import Rabbitmq
from tests.contract.transports import Server, connect_redis
from transport.connect import Transport
from transport.postgres import PostgresTransport

_RESTART_SECONDS = 30.0


@contextmanager
def postgres_server(folder: Path) -> Iterator[Server]:
    server = Postgres(folder / "data", folder / "postgres.log", ("fsync=off",))
    server.prepare()
    process = _Process(server.start, server.ready, postgres.READY_SECONDS)

    def connect() -> Transport:
        pool = make_pool(server.url, 8)
        pool.open()
        return _Owning(pool, server.url)

    try:
        process.start()
        postgres.migrate(server.url)
        environment = {"HELIOGRAPH_PROFILE": "postgres", "DATABASE_URL": server.url}
        yield Server(connect, process.kill, process.start, environment)
    finally:
        process.stop()
        server.remove_socket()


@contextmanager
def redis_server(folder: Path) -> Iterator[Server]:
    """It keeps what it has confirmed (``always``).

    With ``everysec``, it confirms messages that it has not yet written while an earlier write goes to the disk; then
    the epoch shows the loss (``test_redis_server.py``).
    """
    server = RedisServer(folder / "data", folder / "redis.log", free_port(), ("--appendfsync", "always"))
    process = _Process(server.start, server.ready, READY_SECONDS)
    try:
        process.start()
        environment = {"HELIOGRAPH_PROFILE": "redis", "REDIS_URL": server.url}
        yield Server(lambda: connect_redis(server.url), process.kill, process.start, environment)
    finally:
        process.stop()


@contextmanager
def rabbitmq_server(folder: Path) -> Iterator[Server]:
    if not installed():
        pytest.skip(str(RabbitmqMissing()))
    with Rabbitmq(RabbitmqServer(folder / "data", folder / "rabbitmq.log")).running() as rabbitmq:
        environment = {"HELIOGRAPH_PROFILE": "rabbitmq", "AMQP_URL": rabbitmq.url}
        yield Server(rabbitmq.connect, rabbitmq.kill, rabbitmq.start, environment)


SERVERS: Mapping[str, Callable[[Path], AbstractContextManager[Server]]] = {
    "postgres": postgres_server,
    "redis": redis_server,
    "rabbitmq": rabbitmq_server,
}


class _Process:
    """The process of a server that can be started again."""

    def __init__(self, start: Callable[[], Child], ready: Callable[[], bool], ready_seconds: float) -> None:
        self._start = start
        self._ready = ready
        self._ready_seconds = ready_seconds
        self._child: Child | None = None

    def start(self) -> None:
        deadline = time.monotonic() + _RESTART_SECONDS
        while True:
            self._child = self._start()
            try:
                self._child.wait_ready(self._ready, self._ready_seconds)
            except StartFailed:  # the backends of a killed Postgres hold its shared memory until they notice
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()


class _Owning(PostgresTransport):
    """Closes its pool too."""

    def close(self) -> None:
        super().close()
        self._pool.close()
