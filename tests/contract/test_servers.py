"""The contract of a transport whose server keeps what it has, when the server or a worker is killed with SIGKILL."""

import os
import signal
import subprocess
import sys
import time

import pytest

from shared.topology import TOPOLOGY
from tests.contract.messages import TIMEOUT_SECONDS, Consumer, message, publish
from tests.contract.transports import ATTEMPTS, Server, drain, notifications, quick, working
from transport.connect import Transport
from transport.port import PublishError

SMS = quick(TOPOLOGY["sms"].subscription)
DEAD = quick(TOPOLOGY["sms"].dead_letter_subscription)


@pytest.fixture(autouse=True)
def drained(server: Server) -> None:
    drain(server.connect)


def test_a_message_that_kills_its_workers_is_a_dead_letter_after_its_attempts(server: Server) -> None:
    with server.connected() as transport:
        publish(notifications(transport), message("deadly"))
        for _ in range(ATTEMPTS):
            command = [sys.executable, "-m", "tests.contract.killed_worker"]
            environment = os.environ | server.environment
            killed = subprocess.run(command, env=environment, check=False, timeout=TIMEOUT_SECONDS)
            assert killed.returncode == -signal.SIGKILL
        spared, dead = Consumer(), Consumer()
        with working(transport, SMS, spared), working(transport, DEAD, dead):
            letter = dead.next()
            assert spared.got.empty()
    assert (letter.data, letter.dead_after) == (b"deadly", ATTEMPTS + 1)


def test_what_was_published_survives_the_death_of_the_server(server: Server) -> None:
    with server.connected() as transport:
        publish(notifications(transport), *(message(f"kept {number}") for number in range(50)))
    server.kill()
    server.restart()
    consumer = Consumer()
    with server.connected() as transport, working(transport, SMS, consumer):
        found = {consumer.next().data for _ in range(50)}
    assert found == {f"kept {number}".encode() for number in range(50)}


def publish_until_it_fails(transport: Transport) -> None:
    """A backend of Postgres goes on until it notices that its server is gone; the others fail at once."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        publish(notifications(transport), message("lost"))
        time.sleep(0.05)


def test_while_the_server_is_away_publishing_fails_and_then_both_ends_recover(server: Server) -> None:
    consumer = Consumer()
    with server.connected() as transport, working(transport, SMS, consumer):
        publish(notifications(transport), message("before"))
        assert consumer.next().data == b"before"
        server.kill()
        try:
            with pytest.raises(PublishError):
                publish_until_it_fails(transport)
            with pytest.raises(PublishError):
                notifications(transport).check()
        finally:
            server.restart()
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            try:
                publish(notifications(transport), message("after"))
                break
            except PublishError:
                time.sleep(0.1)
        while consumer.next().data != b"after":
            pass  # "before" may come again, and "lost" may have been stored
