"""What a benchmark stands on: a durable Postgres, the Pub/Sub emulator, and a server under test."""

import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from local import emulators, postgres, topology
from local.processes import Child, answers, free_port
from publisher_api.auth import hash_api_key, new_api_key
from publisher_api.store import configuration
from shared.topology import NOTIFICATIONS_TOPIC


@contextmanager
def publisher_ground() -> Iterator[dict[str, str]]:
    """A migrated database and a topic; the environment of a publisher on them, and ``API_KEY``."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        folder.chmod(0o755)  # the database server may run as a user of its own
        google = emulators.start(folder)
        try:
            with postgres.running(folder / "data", log=folder / "postgres.log") as server:
                google.wait_ready()
                postgres.migrate(server.url)
                key = new_api_key()
                with psycopg.connect(server.url, row_factory=dict_row) as connection:
                    configuration.add_api_key(connection, str(uuid.uuid4()), hash_api_key(key), "bench")
                # Nobody subscribes: the emulator keeps in its memory what nobody takes, until it does nothing else.
                with topology.clients(google.address.pubsub_host) as (google_publisher, _):
                    google_publisher.create_topic(
                        name=google_publisher.topic_path(google.address.project, NOTIFICATIONS_TOPIC)
                    )
                yield {
                    **os.environ,
                    **google.address.environment,
                    "DATABASE_URL": server.url,
                    "GOOGLE_CLOUD_PROJECT": google.address.project,
                    "PUSH_AUDIENCE": "bench",
                    "PUSH_SERVICE_ACCOUNT": "bench",
                    "API_KEY": key,
                }
        finally:
            google.stop()


@contextmanager
def serving(application: str, environment: dict[str, str], log: Path) -> Iterator[str]:
    """One uvicorn worker with an application; gives its address."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", application, "--port", str(port), "--no-access-log"]
    child = Child.start("server", [*command, "--log-level", "warning"], log=log, env=environment)
    try:
        child.wait_ready(lambda: answers(f"http://127.0.0.1:{port}/health"), 30)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.stop()
