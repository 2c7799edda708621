"""The services of the local stack, and what each needs before it starts."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local import postgres, pubsub_setup
from local.config import StackConfig
from local.emulators import Image, Jars
from local.postgres import Postgres
from local.processes import Child, StartFailed, answers
from local.service import Program, Service, Task
from shared.topology import FUNCTIONS

_EMULATOR_READY_SECONDS = 300.0  # Docker may have to pull the image
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one stack. ``server`` is None where DATABASE_URL names a server that others run."""

    config: StackConfig
    logs: Path
    server: Postgres | None
    emulators: Jars | Image
    extra_environment: Mapping[str, Mapping[str, str]]

    @property
    def api_key_file(self) -> Path:
        """The file into which the task ``api_key`` writes the key."""
        return self.config.state / "api-key"

    def all(self) -> list[Service]:
        """Every service. Only ``needs`` says in which order they start."""
        return [*self._database(), *self._google(), *self._heliograph()]

    def _database(self) -> list[Service]:
        url = self.config.database_url
        migrate = Task(name="migrate", run=lambda: postgres.migrate(url), needs=("postgres",) if self.server else ())
        outbox = Task(name="outbox", run=lambda: postgres.make_due(url), needs=("migrate", "topology"))
        key = Task(name="api_key", run=self._provide_api_key, needs=("publisher",))
        if self.server is None:
            return [migrate, outbox, key]
        prepare = Task(name="postgres_data", run=self.server.prepare)
        program = Program(name="postgres", launch=self.server.start, ready=self.server.ready, needs=("postgres_data",))
        return [prepare, program, migrate, outbox, key]

    def _google(self) -> list[Service]:
        addresses, ports = self.config.emulators, self.config.ports
        return [
            Program(
                name="pubsub",
                launch=self._launcher("pubsub", self.emulators.pubsub_command(ports.pubsub)),
                ready=lambda: answers(f"http://{addresses.pubsub_host}"),
                restarts=("topology", "push_bridge", "outbox"),  # the emulator keeps everything in memory
                seconds=_EMULATOR_READY_SECONDS,
            ),
            Program(
                name="firestore",
                launch=self._launcher("firestore", self.emulators.firestore_command(ports.firestore)),
                ready=lambda: answers(f"http://{addresses.firestore_host}"),
                seconds=_EMULATOR_READY_SECONDS,
            ),
            Task(
                name="topology",
                run=lambda: pubsub_setup.create(addresses.pubsub_host, addresses.project, self.config.retry_profile),
                needs=("pubsub",),
            ),
        ]

    def _heliograph(self) -> list[Service]:
        config = self.config
        publisher = ["uvicorn", "publisher_api.main:app", "--host", "127.0.0.1", "--port", str(config.ports.publisher)]
        return [
            self._python("sandbox", ["local.sandbox"], f"{config.sandbox_url}/health"),
            self._python("push_bridge", ["local.push_bridge"], f"{config.bridge_url}/health", needs=("topology",)),
            self._python(
                "publisher",
                [*publisher, "--no-access-log", "--timeout-graceful-shutdown", "3"],
                f"{config.publisher_url}/health",
                needs=("outbox",),
            ),
            *(self._function(name) for name in FUNCTIONS),
        ]

    def _function(self, name: str) -> Service:
        # A function needs no topics. It waits for them so that, on two cores, six functions that start at once do not
        # delay the migration and the topics, which the publisher needs.
        module, url = ["local.function_host", name], self.config.function_url(name)
        # The gate in front of the function responds with 401 to a request without a token: the function is running.
        return self._python(name, module, url, needs=("topology",), status=_UNAUTHORIZED)

    def _python(
        self, name: str, module: list[str], url: str, *, needs: tuple[str, ...] = (), status: int = 200
    ) -> Program:
        launch = self._launcher(name, [sys.executable, "-m", *module])
        return Program(name=name, launch=launch, ready=lambda: answers(url, status), needs=needs)

    def _launcher(self, name: str, argv: list[str]) -> Callable[[], Child]:
        def launch() -> Child:
            environment = {**self.config.environment(name), **self.extra_environment.get(name, {})}
            return Child.start(name, argv, log=self.logs / f"{name}.log", env=environment)

        return launch

    def _provide_api_key(self) -> None:
        """Write a key to ``api_key_file``, unless the key of an earlier start still works. Raises ``StartFailed``."""
        if self.api_key_file.exists() and self._api_key_works(self.api_key_file.read_text().strip()):
            return
        done = subprocess.run(
            [sys.executable, "-m", "publisher_api.cli.keys", "create", "--producer", "local"],
            env=os.environ | {"DATABASE_URL": self.config.database_url},
            cwd=postgres.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise StartFailed("api_key", f"ended with exit code {done.returncode}", done.stdout + done.stderr)
        self.api_key_file.touch(mode=0o600)
        self.api_key_file.write_text(done.stdout)

    def _api_key_works(self, key: str) -> bool:
        any_resource = f"{self.config.publisher_url}/v1/channels"
        return not answers(any_resource, _UNAUTHORIZED, {"Authorization": f"Bearer {key}"})
