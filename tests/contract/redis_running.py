"""A Redis for one test, and what the tests of Redis do with its queues."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.processes import free_port
from local.redis_server import READY_SECONDS, RedisServer
from tests.contract.transports import notifications
from transport.connect import Transport
from transport.port import Encoded


@contextmanager
def running(folder: Path, *options: str) -> Iterator[RedisServer]:
    server = RedisServer(folder / "data", folder / "redis.log", free_port(), options)
    child = server.start()
    try:
        child.wait_ready(server.ready, READY_SECONDS)
        yield server
    finally:
        child.stop()


def message(text: str) -> Encoded:
    return Encoded(text.encode(), {"channel": "sms", "delivery_id": str(uuid.uuid4())})


def publish(transport: Transport, *texts: str) -> None:
    for _ in notifications(transport).publish([message(text) for text in texts]):
        pass
