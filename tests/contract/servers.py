"""The servers of the transports that keep what was published when they are killed.

A new transport gets a function here, and its line in ``SERVERS``: then every test of ``test_messaging.py``,
``test_queues.py`` and ``test_servers.py`` runs over it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from local.processes import free_port
from local.rabbitmq_server import RabbitmqMissing, RabbitmqServer, installed
from local.redis_server import READY_SECONDS, RedisServer
from postgres.pool import make_pool
from tests.contract.rabbitmq import Rabbitmq
from tests.contract.transports import Server, connect_redis
from tests.killable_postgres import killable_postgres
from transport.connect import Transport
from transport.postgres import PostgresTransport


@contextmanager
def postgres_server(folder: Path) -> Iterator[Server]:
    with killable_postgres(folder, folder / "postgres.log") as server:

        def connect() -> Transport:
            pool = make_pool(server.url, 8)
            pool.open()
            return _Owning(pool, server.url)

        environment = {"HELIOGRAPH_PROFILE": "postgres", "DATABASE_URL": server.url}
        yield Server(connect, server.kill, server.restart, environment)


@contextmanager
def redis_server(folder: Path) -> Iterator[Server]:
    """It keeps what it has confirmed (``always``).

    With ``everysec``, it confirms messages that it has not yet written while an earlier write goes to the disk; then
    the epoch shows the loss (``test_redis_server.py``).
    """
    server = RedisServer(folder / "data", folder / "redis.log", free_port(), ("--appendfsync", "always"))
    running = [server.start()]

    def kill() -> None:
        running[0].kill()

    def restart() -> None:
        running[0] = server.start()
        running[0].wait_ready(server.ready, READY_SECONDS)

    try:
        running[0].wait_ready(server.ready, READY_SECONDS)
        environment = {"HELIOGRAPH_PROFILE": "redis", "REDIS_URL": server.url}
        yield Server(lambda: connect_redis(server.url), kill, restart, environment)
    finally:
        running[0].stop()


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


class _Owning(PostgresTransport):
    """Closes its pool too."""

    def close(self) -> None:
        super().close()
        self._pool.close()
