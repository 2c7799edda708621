"""``python -m functions.worker`` as a process: how it starts, says that it is ready, and ends."""

import json
import os
import signal
import socket
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest

from postgres.pool import make_pool
from publisher_api.outbox.message import encode
from shared import outcomes
from shared.outcomes import Outcome
from shared.profile import VARIABLE
from shared.topology import FUNCTIONS, NOTIFICATIONS_TOPIC, OUTCOMES_SUBSCRIPTION
from tests.children import running
from tests.factories import make_delivery
from tests.sandboxed import SENDGRID_KEY, running_sandbox
from transport.postgres import PostgresTopic

if TYPE_CHECKING:
    import subprocess

SECONDS = 30.0
PYTHON = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}


def worker(*functions: str, **environment: str) -> AbstractContextManager["subprocess.Popen[str]"]:
    """Run the worker during the block, with no variables but ``environment``."""
    return running([sys.executable, "-m", "functions.worker", *functions], PYTHON | environment)


def refused(*functions: str, **environment: str) -> tuple[int, str]:
    """The exit code of a worker that cannot start, and what it writes to standard error."""
    with worker(*functions, **environment) as process:
        _, errors = process.communicate(timeout=SECONDS)
        return process.returncode, errors


def event(process: "subprocess.Popen[str]", name: str) -> dict[str, Any]:
    """The next log record with the event ``name``. Fails when the process ends without it."""
    assert process.stdout is not None
    for line in process.stdout:
        record: dict[str, Any] = json.loads(line)
        if record.get("event") == name:
            return record
    pytest.fail(f"The worker ended without {name}: {process.stderr and process.stderr.read()}")


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The datagram socket of a service manager, in ``tmp_path / "notify"``."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(SECONDS)
        listening.bind(str(tmp_path / "notify"))
        yield listening


def reported(database_url: str, delivery_id: str) -> Outcome | None:
    """The outcome that waits for the publisher."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "select data from transport.messages where subscription = %s", [OUTCOMES_SUBSCRIPTION]
        )
        found = [outcomes.decode(data) for (data,) in rows]
    return next((each for each in found if each.delivery_id == delivery_id), None)


def test_ready_worker_logs_it_with_its_functions_and_tells_systemd(
    postgres_url: str, tmp_path: Path, manager: socket.socket
) -> None:
    environment = {VARIABLE: "postgres", "DATABASE_URL": postgres_url, "NOTIFY_SOCKET": str(tmp_path / "notify")}
    with worker("inapp", "dead_letter", **environment) as process:
        ready = event(process, "worker.ready")
        assert (ready["functions"], ready["profile"]) == (["inapp", "dead_letter"], "postgres")
        assert manager.recv(100) == b"READY=1"
        process.send_signal(signal.SIGTERM)
        assert manager.recv(100) == b"STOPPING=1"
        event(process, "worker.stopping")
        assert process.wait(SECONDS) == 0


def test_systemd_is_told_over_an_abstract_socket_too(postgres_url: str) -> None:
    name = f"heliograph-{uuid.uuid4().hex}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(SECONDS)
        manager.bind(f"\0{name}")
        environment = {VARIABLE: "postgres", "DATABASE_URL": postgres_url, "NOTIFY_SOCKET": f"@{name}"}
        with worker("inapp", **environment):
            assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_worker_that_is_told_to_end_finishes_what_it_has_begun_and_exits_with_0(
    postgres_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    with running_sandbox(tmp_path) as sandbox:
        slow = {"channel_type": "email", "rate": 0, "delay_seconds": 2}
        httpx.put(f"{sandbox}/faults", json=slow).raise_for_status()
        environment = {
            VARIABLE: "postgres",
            "DATABASE_URL": postgres_url,
            "SENDGRID_API_KEY": SENDGRID_KEY,
            "SENDGRID_URL": sandbox,
            "EMAIL_FROM": "hello@heliograph.test",
        }
        later = datetime.now(UTC) + timedelta(hours=1)
        delivery = make_delivery("email", recipient=f"{uuid.uuid4().hex}@example.com", expires_at=later)
        with worker("email", **environment) as process, make_pool(postgres_url, 1) as pool:
            event(process, "worker.ready")
            list(PostgresTopic(pool, NOTIFICATIONS_TOPIC, encode).publish([delivery]))
            key = f"{delivery.delivery_id}.{delivery.round}"
            with psycopg.connect(postgres_url, autocommit=True) as connection:
                deadline = time.monotonic() + SECONDS
                while not connection.execute("select 1 from state.ledger where key = %s", [key]).fetchone():
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
            assert reported(postgres_url, delivery.delivery_id) is None
            process.send_signal(number)
            assert process.wait(SECONDS) == 0
        found = reported(postgres_url, delivery.delivery_id)
        assert found is not None
        assert (found.result, found.possible_duplicate) == ("sent", False)
        with psycopg.connect(postgres_url) as connection:
            left = connection.execute(
                "select from transport.messages where subscription = 'notifications-email' and data = %s",
                [encode(delivery).data],
            )
            assert left.fetchone() is None, "the message is settled"


def test_google_profile_is_refused_with_the_others() -> None:
    code, message = refused(GOOGLE_CLOUD_PROJECT="p")
    assert code == 1
    assert message == (
        "The worker is for self-hosted installations. Set HELIOGRAPH_PROFILE to one of: postgres, redis, rabbitmq.\n"
    )


def test_missing_variables_of_all_functions_are_named_at_once() -> None:
    code, message = refused(**{VARIABLE: "postgres"})
    assert code == 1
    for function in FUNCTIONS:
        assert f"\n  {function}: " in message
    for variable in ("DATABASE_URL", "SENDGRID_API_KEY", "TWILIO_ACCOUNT_SID", "WEBHOOK_SIGNING_SECRET"):
        assert variable in message
    assert "To host fewer, name them" in message
    assert "Traceback" not in message


def test_unknown_function_is_refused_with_the_known_ones() -> None:
    code, message = refused("fax", **{VARIABLE: "postgres"})
    assert code == 2
    assert f"unknown functions: fax. Known: {', '.join(FUNCTIONS)}." in message


def test_push_without_credentials_of_firebase_says_what_to_set(postgres_url: str) -> None:
    code, errors = refused("push", HELIOGRAPH_PROFILE="postgres", DATABASE_URL=postgres_url, FCM_PROJECT="p")
    assert (code, "Traceback" in errors) == (1, False)
    assert "GOOGLE_APPLICATION_CREDENTIALS" in errors
