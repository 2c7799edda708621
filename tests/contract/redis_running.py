"""A Redis for one test, and what the tests of Redis do with its queues."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.processes import free_port
from local.redis_server import READY_SECONDS, RedisServer
from tests.contract.transports import notifications
from transport.connect import Transport
from transport.port import Encoded, Queue, Taken

TIMEOUT_SECONDS = 20.0


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


def take(queue: Queue, limit: int = 1) -> list[Taken]:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not (taken := queue.take(limit, 1.0)):
        assert time.monotonic() < deadline, "no message came"
    return taken


def take_one(queue: Queue) -> Taken:
    (taken,) = take(queue)
    return taken
