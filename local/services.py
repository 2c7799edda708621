"""The services of the local stack in every profile, and what each needs before it starts."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local import postgres
from local.config import StackConfig
from local.emulators import Image, Jars
from local.postgres import Postgres
from local.processes import Child, StartFailed, answers
from local.profiles import google, rabbitmq, self_hosted
from local.rabbitmq_server import RabbitmqServer
from local.service import Launch, Program, Service, Task

_UNAUTHORIZED = 401
PUBLISHER_OPTIONS = (
    *("--http", "publisher_api.hosting.server:HttpConnection"),
    *("--ws", "publisher_api.hosting.server:SocketConnection"),
    *("--ws-max-size", "65536"),
    *("--ws-per-message-deflate", "false"),
    "--no-access-log",
)
"""The options of uvicorn wherever the publisher runs."""


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one stack.

    ``server`` is None where DATABASE_URL names a server that others run, ``emulators`` outside of the google profile,
    and ``broker`` outside of the rabbitmq profile and where AMQP_URL names a server that others run.
    """

    config: StackConfig
    logs: Path
    server: Postgres | None
    emulators: Jars | Image | None
    broker: RabbitmqServer | None
    extra_environment: Mapping[str, Mapping[str, str]]

    def all(self) -> list[Service]:
        """Every service. Only ``needs`` says in which order they start."""
        return [*self._database(), *self._common(), *self._of_the_profile()]

    def _of_the_profile(self) -> list[Service]:
        if self.emulators is not None:
            return google.services(self.config, self._launcher, self.emulators)
        broker = rabbitmq.services(self.broker) if self.broker is not None else []
        return [*broker, *self_hosted.services(self.config, self._launcher, self.logs)]

    def _database(self) -> list[Service]:
        url = self.config.database_url
        migrate = Task(name="migrate", run=lambda: postgres.migrate(url), needs=("postgres",) if self.server else ())
        key = Task(name="api_key", run=self._provide_api_key, needs=("publisher",))
        if self.server is None:
            return [migrate, key]
        prepare = Task(name="postgres_data", run=self.server.prepare)
        program = Program(name="postgres", launch=self.server.start, ready=self.server.ready, needs=("postgres_data",))
        return [prepare, program, migrate, key]

    def _common(self) -> list[Service]:
        config = self.config
        sandbox = [sys.executable, "-m", "local.sandbox"]
        publisher = ["uvicorn", "publisher_api.main:app", "--host", "127.0.0.1", "--port", str(config.ports.publisher)]
        options = [*PUBLISHER_OPTIONS, "--timeout-graceful-shutdown", "3"]
        return [
            Program(
                name="sandbox",
                launch=self._launcher("sandbox", sandbox),
                ready=lambda: answers(f"{config.sandbox_url}/health"),
                needs=("migrate", "firestore"),  # it watches the inboxes
            ),
            Program(
                name="publisher",
                launch=self._launcher("publisher", [sys.executable, "-m", *publisher, *options]),
                ready=lambda: answers(f"{config.publisher_url}/health"),
                needs=("migrate", "outbox", "redis", "rabbitmq"),
            ),
        ]

    def _launcher(self, name: str, argv: list[str]) -> Launch:
        def launch() -> Child:
            environment = {**self.config.environment(name), **self.extra_environment.get(name, {})}
            return Child.start(name, argv, log=self.logs / f"{name}.log", env=environment)

        return launch

    def _provide_api_key(self) -> None:
        """Write a key to ``api_key_file``, unless the key of an earlier start still works. Raises ``StartFailed``."""
        if self.config.api_key_file.exists() and self._api_key_works(self.config.api_key_file.read_text().strip()):
            return
        done = subprocess.run(
            [sys.executable, "-m", "publisher_api.cli.keys", "create", "--producer", "local", "--scope", "admin"],
            env=os.environ | {"DATABASE_URL": self.config.database_url},
            cwd=postgres.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise StartFailed("api_key", f"ended with exit code {done.returncode}", done.stdout + done.stderr)
        self.config.api_key_file.touch(mode=0o600)
        self.config.api_key_file.write_text(done.stdout)

    def _api_key_works(self, key: str) -> bool:
        any_resource = f"{self.config.publisher_url}/v1/channels"
        return not answers(any_resource, _UNAUTHORIZED, {"Authorization": f"Bearer {key}"})
