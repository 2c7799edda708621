"""A publisher and a worker in processes of their own, as a self-hosted installation runs them, on a real Postgres."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local.processes import Child, answers, free_port
from local.services import PUBLISHER_OPTIONS
from postgres.pool import make_pool
from publisher_api.settings import Settings
from shared.profile import VARIABLE
from tests.publisher.running import Publisher, Reporter, create_api_key
from tests.publisher.topic import InspectedTable

READY_SECONDS = 60.0


@dataclass
class Installation:
    """What runs. ``kill_publisher`` and ``start_publisher`` keep its port."""

    settings: Settings
    folder: Path
    publisher: Publisher = field(init=False)
    _running: Child = field(init=False)
    _port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start_publisher(self) -> None:
        options = ["--host", "127.0.0.1", "--port", str(self._port), *PUBLISHER_OPTIONS]
        command = [sys.executable, "-m", "uvicorn", "publisher_api.main:app", *options]
        self._running = self._start("publisher", command)
        self._running.wait_ready(lambda: answers(f"{self.url}/health/ready"), READY_SECONDS)

    def kill_publisher(self) -> None:
        """End it at once (SIGKILL): it closes nothing and finishes nothing."""
        self._running.kill()

    @contextmanager
    def running(self) -> Iterator["Installation"]:
        with ExitStack() as stack:
            worker = self._start("worker", [sys.executable, "-m", "functions.worker", "inapp"])
            stack.callback(worker.kill)
            self.start_publisher()
            stack.callback(self.kill_publisher)
            worker.wait_ready(lambda: '"worker.ready"' in worker.log.read_text(), READY_SECONDS)
            pool = stack.enter_context(make_pool(self.settings.database_url, 1))
            key = create_api_key(self.settings.database_url, "tests")
            topic = InspectedTable(self.settings.database_url)
            self.publisher = Publisher(self.url, key, self.settings, topic, Reporter(pool))
            stack.callback(self.publisher.http.close)
            yield self

    def _start(self, name: str, command: list[str]) -> Child:
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        inbox = self.settings.inbox
        environment |= {
            VARIABLE: self.settings.profile,
            "DATABASE_URL": self.settings.database_url,
            "INBOX_TOKEN_SECRET": inbox.token_secret,
            "INBOX_ORIGINS": ",".join(inbox.origins),
        }
        return Child.start(name, command, log=self.folder / f"{name}.log", env=environment)
