"""What the local stack consists of, and what each part waits for."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local import postgres
from local import pubsub_setup as topology
from local.config import FUNCTIONS, Layout
from local.emulators import Image, Jars
from local.postgres import Postgres
from local.processes import Child, StartFailed, answers
from local.pubsub_setup import Patience
from local.service import Part, Program, Task

_EMULATOR_SECONDS = 300.0  # a container's image may have to be pulled
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts for one ``layout``. ``server`` is None where DATABASE_URL names one that others look after."""

    layout: Layout
    logs: Path
    patience: Patience
    server: Postgres | None
    emulators: Jars | Image
    extra_environment: Mapping[str, Mapping[str, str]]

    @property
    def api_key_file(self) -> Path:
        """Where the task ``api_key`` leaves its key."""
        return self.layout.state / "api-key"

    def parts(self) -> list[Part]:
        """Every part, in no order but that of their needs."""
        return [*self._database(), *self._google(), *self._ours()]

    def _database(self) -> list[Part]:
        url = self.layout.database_url
        migrate = Task(name="migrate", run=lambda: postgres.migrate(url), needs=("postgres",) if self.server else ())
        outbox = Task(name="outbox", run=lambda: postgres.make_due(url), needs=("migrate", "topology"))
        key = Task(name="api_key", run=self._provide_api_key, needs=("publisher",))
        if self.server is None:
            return [migrate, outbox, key]
        prepare = Task(name="postgres_data", run=self.server.prepare)
        program = Program(name="postgres", launch=self.server.start, ready=self.server.ready, needs=("postgres_data",))
        return [prepare, program, migrate, outbox, key]

    def _google(self) -> list[Part]:
        where, ports = self.layout.emulators, self.layout.ports
        return [
            Program(
                name="pubsub",
                launch=self._launcher("pubsub", self.emulators.pubsub_command(ports.pubsub)),
                ready=lambda: answers(f"http://{where.pubsub_host}"),
                remakes=("topology", "push_bridge", "outbox"),  # it keeps everything in memory
                seconds=_EMULATOR_SECONDS,
            ),
            Program(
                name="firestore",
                launch=self._launcher("firestore", self.emulators.firestore_command(ports.firestore)),
                ready=lambda: answers(f"http://{where.firestore_host}"),
                seconds=_EMULATOR_SECONDS,
            ),
            Task(
                name="topology",
                run=lambda: topology.create(where.pubsub_host, where.project, self.patience),
                needs=("pubsub",),
            ),
        ]

    def _ours(self) -> list[Part]:
        layout = self.layout
        publisher = ["uvicorn", "publisher_api.main:app", "--host", "127.0.0.1", "--port", str(layout.ports.publisher)]
        return [
            self._python("sandbox", ["local.sandbox"], f"{layout.sandbox_url}/health"),
            self._python("push_bridge", ["local.push_bridge"], f"{layout.bridge_url}/health", needs=("topology",)),
            self._python(
                "publisher",
                [*publisher, "--no-access-log", "--timeout-graceful-shutdown", "3"],
                f"{layout.publisher_url}/health",
                needs=("outbox",),
            ),
            *(self._function(name) for name in FUNCTIONS),
        ]

    def _function(self, name: str) -> Part:
        # It needs no topics. But the publisher does, and on two cores six functions at once would keep those back.
        module, url = ["local.function_host", name], self.layout.function_url(name)
        # The gate turns away whoever is not the push service: then the function behind it is there.
        return self._python(name, module, url, needs=("topology",), status=_UNAUTHORIZED)

    def _python(
        self, name: str, module: list[str], url: str, *, needs: tuple[str, ...] = (), status: int = 200
    ) -> Program:
        launch = self._launcher(name, [sys.executable, "-m", *module])
        return Program(name=name, launch=launch, ready=lambda: answers(url, status), needs=needs)

    def _launcher(self, name: str, argv: list[str]) -> Callable[[], Child]:
        def launch() -> Child:
            environment = {**self.layout.environment(name), **self.extra_environment.get(name, {})}
            return Child.start(name, argv, log=self.logs / f"{name}.log", env=environment)

        return launch

    def _provide_api_key(self) -> None:
        if self.api_key_file.exists() and self._api_key_works(self.api_key_file.read_text().strip()):
            return
        done = subprocess.run(
            [sys.executable, "-m", "publisher_api.keys", "create", "--producer", "local"],
            env=os.environ | {"DATABASE_URL": self.layout.database_url},
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
        any_resource = f"{self.layout.publisher_url}/v1/channels"
        return not answers(any_resource, _UNAUTHORIZED, {"Authorization": f"Bearer {key}"})
