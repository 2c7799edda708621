"""All of Heliograph on one machine: starts every part as soon as what it needs is ready, and ends them all together.

::

    with Stack(Options()) as stack:
        httpx.get(f"{stack.layout.publisher_url}/health")
"""

import fcntl
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from local import emulators
from local.config import Layout, Ports
from local.postgres import ROOT, Postgres
from local.processes import Child, StartFailed
from local.pubsub_setup import BRISK, Patience
from local.service import Part, Program, Task
from local.services import Plan
from local.signals import undisturbed

_POLL_SECONDS = 0.05
_GROUND = frozenset({"pubsub", "firestore", "postgres"})


def _nobody_watches(_part: str, _seconds: float) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Options:
    """``state`` holds the data and logs; ``extra_environment`` adds variables by part.

    ``progress`` is told each part that is ready, and how many seconds after the start.
    """

    state: Path = ROOT / ".local"
    database_url: str | None = None
    patience: Patience = BRISK
    ports: Ports = field(default_factory=Ports)
    extra_environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    progress: Callable[[str, float], None] = _nobody_watches


class Stack:
    """A context manager: everything is ready inside, and nothing is left behind.

    Making it raises ``EmulatorsMissing``; entering raises ``StartFailed``, after all is stopped again. Enter it on a
    thread that lives as long as the stack: the children end with that.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._tasks = ThreadPoolExecutor(thread_name_prefix="stack")
        self._children: dict[str, Child] = {}
        self._extra_environment = {part: dict(extra) for part, extra in options.extra_environment.items()}
        self.logs = options.state / "logs"
        found = emulators.find()
        self._lock_file: TextIO | None = None
        self._server: Postgres | None = None
        database_url = options.database_url
        if not database_url:
            self._server = Postgres(options.state / "postgres", self.logs / "postgres.log")
            database_url = self._server.url
        self.layout = Layout(options.state, database_url, options.ports)
        self._plan = Plan(self.layout, self.logs, options.patience, self._server, found, self._extra_environment)
        self._parts: dict[str, Part] = {part.name: part for part in self._plan.parts()}

    @property
    def api_key(self) -> str:
        """A key of the producer ``local``."""
        return self._plan.api_key_file.read_text().strip()

    def child(self, name: str) -> Child:
        """The process of the part ``name``, and its log."""
        return self._children[name]

    def ended(self) -> list[Child]:
        """The processes that do not run any more, whoever ended them."""
        return [child for child in self._children.values() if not child.running]

    def kill(self, name: str) -> None:
        """End a part without any warning (SIGKILL)."""
        self._children[name].kill()

    def stop(self, name: str) -> None:
        """End a part as an orderly shutdown would."""
        self._children[name].stop()

    def restart(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        """Start a part again where it was, with ``environment`` beside its own, and wait until it is ready.

        The Pub/Sub emulator forgets everything, so its topology is made anew, the bridge begins again, and what was on
        its way is published again.
        """
        part = self._parts[name]
        again = [part, *(self._parts[other] for other in part.remakes)]
        for one in again:
            if one.name in self._children:
                self._children[one.name].stop()
        self._extra_environment[name] = dict(environment or self._options.extra_environment.get(name, {}))
        self._bring_up(again)

    def __enter__(self) -> Self:
        self._options.state.mkdir(parents=True, exist_ok=True)
        try:
            self._lock()
            self.layout.write_credentials_file()
            self._bring_up(self._parts.values())
            self.layout.write_description_file(self._options.patience)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every part: first those that work, then what they stand on. Safe to call again."""
        with undisturbed():
            if self._children:  # else it describes another stack, because of which this one did not start
                self.layout.description_file.unlink(missing_ok=True)
            for ground in (False, True):
                children = [child for name, child in self._children.items() if (name in _GROUND) is ground]
                for child in children:
                    child.ask_to_stop()
                for child in children:
                    child.stop()
            self._tasks.shutdown()
            if self._server:
                self._server.tidy()
            if self._lock_file:
                self._lock_file.close()

    def _lock(self) -> None:
        """See that no other stack uses this state: the lock goes with the process, however that ends."""
        self._lock_file = (self._options.state / "lock").open("w")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartFailed("stack", f"is running already on {self._options.state}", "") from None

    def _bring_up(self, parts: Iterable[Part]) -> None:
        """Start ``parts``, each once those of its needs that are among them are ready. Raises ``StartFailed``."""
        waiting = {part.name: part for part in parts}
        starting: dict[str, _Starting] = {}
        began = time.monotonic()
        while waiting or starting:
            for name, part in list(waiting.items()):
                if not any(need in waiting or need in starting for need in part.needs):
                    starting[name] = self._begin(waiting.pop(name))
            for name, part_starting in list(starting.items()):
                if part_starting.ready():
                    del starting[name]
                    self._options.progress(name, time.monotonic() - began)
            time.sleep(_POLL_SECONDS)

    def _begin(self, part: Part) -> "_Starting":
        match part:
            case Program():
                child = self._children[part.name] = part.launch()
                return _ProgramStarting(part, child, time.monotonic() + part.seconds)
            case Task():
                return _TaskStarting(self._tasks.submit(part.run))


@dataclass(frozen=True, slots=True)
class _ProgramStarting:
    program: Program
    child: Child
    deadline: float

    def ready(self) -> bool:
        """Raises ``StartFailed`` once it cannot become true any more."""
        if not self.child.running:
            raise StartFailed(
                self.child.name, f"ended with exit code {self.child.process.returncode}", self.child.tail()
            )
        if self.program.ready():
            return True
        if time.monotonic() > self.deadline:
            raise StartFailed(self.child.name, f"was not ready after {self.program.seconds:g} s", self.child.tail())
        return False


@dataclass(frozen=True, slots=True)
class _TaskStarting:
    future: "Future[None]"

    def ready(self) -> bool:
        """Raises what the task raised."""
        if not self.future.done():
            return False
        self.future.result()
        return True


_Starting = _ProgramStarting | _TaskStarting
