"""What the benchmarks run against: Postgres and the emulators, the publisher, or the whole local stack."""

import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from local import emulators, postgres, pubsub_setup
from local.processes import Child, answers, free_port
from local.stack import Options, Stack
from postgres.pool import make_pool
from publisher_api.api_keys.model import KeyFields
from publisher_api.api_keys.service import ApiKeys
from publisher_api.connections import now
from publisher_api.principal import Scope, command
from shared.lanes import Lane, topic_of
from shared.profile import Profile
from shared.topology import NOTIFICATIONS_TOPIC

_TIMEOUT_SECONDS = 30


@contextmanager
def publisher_environment() -> Iterator[dict[str, str]]:
    """A durable, migrated Postgres and a topic. Yields the environment of a publisher that uses them, and API_KEY."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        folder.chmod(0o755)  # so that PostgreSQL can reach it, which may run as another user
        google = emulators.start(folder)
        try:
            with postgres.running(folder / "data", log=folder / "postgres.log") as server:
                google.wait_ready()
                postgres.migrate(server.url)
                key = api_key_of("bench", server.url)
                # The topics have no subscription: the emulator keeps unacknowledged messages in memory, and they would
                # slow it down more and more.
                with pubsub_setup.clients(google.address.pubsub_host) as (google_publisher, _):
                    for lane in Lane:
                        google_publisher.create_topic(
                            name=google_publisher.topic_path(
                                google.address.project, topic_of(NOTIFICATIONS_TOPIC, lane)
                            )
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


def api_key_of(producer: str, database_url: str) -> str:
    """A new API key of ``producer``."""
    with make_pool(database_url, 1) as pool:
        keys = ApiKeys(pool, now, lambda: str(uuid.uuid4()), lambda: None)
        return keys.create(KeyFields(producer=producer, scopes=[Scope.ADMIN]), command("bench")).key


@contextmanager
def serving(application: str, environment: dict[str, str], log: Path) -> Iterator[str]:
    """Run one uvicorn worker with an application. Yields its URL."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", application, "--port", str(port), "--no-access-log"]
    child = Child.start("server", [*command, "--log-level", "warning"], log=log, env=environment)
    try:
        child.wait_ready(lambda: answers(f"http://127.0.0.1:{port}/health"), 30)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.stop()


@contextmanager
def running_stack(profile: Profile = Profile.GOOGLE) -> Iterator[tuple[Stack, httpx.Client]]:
    """Run the local stack with an empty state. Yields it, and a client of its API that sends the API key.

    Sets this process's environment so that Google's clients in it use the emulators.
    """
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory)
        state.chmod(0o755)  # so that PostgreSQL can reach it, which may run as another user
        progress("starting the stack")
        with Stack(Options(state=state, profile=profile)) as stack:
            if profile is Profile.GOOGLE:
                os.environ.update(stack.config.emulators.environment)
            headers = {"Authorization": f"Bearer {stack.api_key}"}
            with httpx.Client(base_url=stack.config.publisher_url, headers=headers, timeout=_TIMEOUT_SECONDS) as api:
                yield stack, api
        progress("")


def family(child: Child) -> list[psutil.Process]:
    """The process of a service, and all that it started."""
    parent = psutil.Process(child.process.pid)
    return [parent, *parent.children(recursive=True)]


def memory_of(child: Child) -> int:
    """The bytes that a service holds. A page that n processes share counts as 1/n."""
    return sum(each.memory_full_info().pss for each in family(child))


def cpu_seconds(child: Child) -> float:
    """The CPU time of a service until now, without processes that have ended."""
    return float(sum(times.user + times.system for each in family(child) for times in [each.cpu_times()]))


def progress(activity: str) -> None:
    """Print the current activity over the terminal's current line."""
    print(f"\r{activity:60}\r", end="", flush=True)
