"""Runs all of Heliograph on one machine. Each service starts when the services that it needs are ready.

::

    with Stack(Options()) as stack:
        httpx.get(f"{stack.config.publisher_url}/health")
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
from local.config import Ports, StackConfig
from local.postgres import ROOT, Postgres
from local.processes import Child, StartFailed
from local.rabbitmq_server import RabbitmqMissing, RabbitmqServer, installed
from local.service import Program, Service, Task
from local.services import Services
from local.signals import end_signals_ignored
from shared.profile import Profile
from shared.topology import RetryProfile

_POLL_SECONDS = 0.05
_STOPPED_LAST = frozenset({"pubsub", "firestore", "postgres", "redis", "rabbitmq", "epmd"})


def _no_progress(_service: str, _seconds: float) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Options:
    """``state`` is the directory for data and logs; ``extra_environment`` adds variables, by service.

    Without ``database_url``, the stack runs a Postgres of its own; without ``amqp_url``, in the profile rabbitmq, a
    RabbitMQ. ``progress`` is called with the name of each service that becomes ready, and the seconds since the start.
    """

    state: Path = ROOT / ".local"
    database_url: str | None = None
    amqp_url: str | None = None
    profile: Profile = Profile.GOOGLE
    retry_profile: RetryProfile = RetryProfile.DEMO
    ports: Ports = field(default_factory=Ports)
    extra_environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    progress: Callable[[str, float], None] = _no_progress


class Stack:
    """A context manager: all services are ready when the block begins, and have ended after it.

    ``Stack()`` raises ``EmulatorsMissing`` or ``RabbitmqMissing`` where the profile needs these. Entering raises
    ``StartFailed``, after everything is stopped. Enter it on a thread that lives as long as the stack: the kernel ends
    the children with that thread.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._tasks = ThreadPoolExecutor(thread_name_prefix="stack")
        self._children: dict[str, Child] = {}
        self._extra_environment = {service: dict(extra) for service, extra in options.extra_environment.items()}
        self.logs = options.state / "logs"
        broker = _broker_of(options, self.logs)
        google = emulators.find() if options.profile is Profile.GOOGLE else None
        self._lock_file: TextIO | None = None
        self._server: Postgres | None = None
        database_url = options.database_url
        if not database_url:
            self._server = Postgres(options.state / "postgres", self.logs / "postgres.log")
            database_url = self._server.url
        self.config = StackConfig(
            options.state,
            database_url,
            options.ports,
            owns_postgres=self._server is not None,
            retry_profile=options.retry_profile,
            profile=options.profile,
            amqp_url=broker.url if broker else options.amqp_url or "",
        )
        services = Services(self.config, self.logs, self._server, google, broker, self._extra_environment)
        self._services: dict[str, Service] = {service.name: service for service in services.all()}

    @property
    def api_key(self) -> str:
        """An API key of the producer ``local``."""
        return self.config.api_key_file.read_text().strip()

    def child(self, name: str) -> Child:
        """The process of the service ``name``."""
        return self._children[name]

    def children(self) -> list[Child]:
        """The processes of all services that are programs."""
        return list(self._children.values())

    def ended(self) -> list[Child]:
        """The processes that do not run any more, also those that ``kill`` and ``stop`` ended."""
        return [child for child in self._children.values() if not child.running]

    def kill(self, name: str) -> None:
        """End a service without warning (SIGKILL)."""
        self._children[name].kill()

    def stop(self, name: str) -> None:
        """End a service as an orderly shutdown does."""
        self._children[name].stop()

    def restart(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        """Start a service again on its port and wait until it is ready. ``environment`` replaces its extra variables.

        The Pub/Sub emulator loses everything when it ends. After its restart, the topics are created again, the bridge
        starts again, and the sweeper publishes the queued deliveries again.
        """
        service = self._services[name]
        again = [service, *(self._services[other] for other in service.restarts)]
        for one in again:
            if one.name in self._children:
                self._children[one.name].stop()
        self._extra_environment[name] = dict(environment or self._options.extra_environment.get(name, {}))
        self._start(again)

    def __enter__(self) -> Self:
        self._options.state.mkdir(parents=True, exist_ok=True)
        try:
            self._lock()
            self.config.write_credentials_file()
            self._start(self._services.values())
            self.config.write_description_file()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every service, the emulators and Postgres last. May be called again."""
        with end_signals_ignored():
            if self._children:  # otherwise the file describes another stack, which kept this one from starting
                self.config.description_file.unlink(missing_ok=True)
            for last in (False, True):
                children = [child for name, child in self._children.items() if (name in _STOPPED_LAST) is last]
                for child in children:
                    child.ask_to_stop()
                for child in children:
                    child.stop()
            self._tasks.shutdown()
            if self._server:
                self._server.remove_socket()
            if self._lock_file:
                self._lock_file.close()

    def _lock(self) -> None:
        """Raises ``StartFailed`` if another stack uses ``state``. The lock ends with this process."""
        self._lock_file = (self._options.state / "lock").open("w")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            reason = f"already runs in {self._options.state}. Stop it, or set HELIOGRAPH_STATE to another directory"
            raise StartFailed("stack", reason, "") from None

    def _start(self, services: Iterable[Service]) -> None:
        """Start each of ``services`` when those that it needs among them are ready. Raises ``StartFailed``."""
        waiting = {service.name: service for service in services}
        starting: dict[str, _Starting] = {}
        began = time.monotonic()
        while waiting or starting:
            for name, service in list(waiting.items()):
                if not any(need in waiting or need in starting for need in service.needs):
                    starting[name] = self._launch(waiting.pop(name))
            for name, started in list(starting.items()):
                if started.ready():
                    del starting[name]
                    self._options.progress(name, time.monotonic() - began)
            time.sleep(_POLL_SECONDS)

    def _launch(self, service: Service) -> "_Starting":
        match service:
            case Program():
                child = self._children[service.name] = service.launch()
                return _StartingProgram(service, child, time.monotonic() + service.seconds)
            case Task():
                return _StartingTask(self._tasks.submit(service.run))


def _broker_of(options: Options, logs: Path) -> RabbitmqServer | None:
    """The RabbitMQ that the stack runs itself, if it does. Raises ``RabbitmqMissing``."""
    if options.profile is not Profile.RABBITMQ or options.amqp_url:
        return None
    if not installed():
        raise RabbitmqMissing
    return RabbitmqServer(options.state / "rabbitmq", logs / "rabbitmq.log")


@dataclass(frozen=True, slots=True)
class _StartingProgram:
    program: Program
    child: Child
    deadline: float

    def ready(self) -> bool:
        """Raises ``StartFailed`` when the program has ended, or the deadline has passed."""
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
class _StartingTask:
    future: "Future[None]"

    def ready(self) -> bool:
        """Raises what the task raised."""
        if not self.future.done():
            return False
        self.future.result()
        return True


_Starting = _StartingProgram | _StartingTask
