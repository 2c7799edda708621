"""Starts child processes, waits until they are ready, and ends them with all that they started."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import SystemRandom
from typing import Self
from urllib.parse import urlsplit

_LAUNCH = Path(__file__).with_name("launch.py")
_POLL_SECONDS = 0.03
_KILL_SECONDS = 5.0


class StartFailed(Exception):
    """A service did not become ready; ``log`` holds the last lines that it wrote."""

    def __init__(self, service: str, reason: str, log: str) -> None:
        super().__init__(f"{service} {reason}\n{log}".rstrip())
        self.service = service
        self.reason = reason
        self.log = log


@dataclass(frozen=True, slots=True)
class Child:
    """A program in a process group of its own, so that it can be killed together with all that it started."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals

    @classmethod
    def start(
        cls,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        uid: int = -1,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> Self:
        """Start ``argv``, which writes to ``log``. None for ``env`` means our own; -1 for ``uid`` means our own user.

        The kernel ends the program when the *thread* that called this ends, so call it from a thread that lives long
        enough.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        launcher = [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), str(int(stop_signal)), str(uid)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*launcher, *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                start_new_session=True,  # so that Ctrl-C reaches only our process, which ends the children in order
            )
        return cls(name, process, log, stop_signal)

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def tail(self, lines: int = 20) -> str:
        """The last ``lines`` lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def wait_ready(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until ``ready()``. Raises ``StartFailed`` if the program ends, or is not ready after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise StartFailed(self.name, f"ended with exit code {self.process.returncode}", self.tail())
            if time.monotonic() > deadline:
                raise StartFailed(self.name, f"was not ready after {seconds:g} s", self.tail())
            time.sleep(_POLL_SECONDS)

    def ask_to_stop(self) -> None:
        """Send the stop signal to the program, which ends its own workers."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(self.stop_signal)

    def stop(self, grace_seconds: float = 5.0) -> None:
        """Send the stop signal; kill the process group when the program has ended, or after ``grace_seconds``."""
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(grace_seconds)
        self.kill()

    def kill(self) -> None:
        """End the whole process group at once (SIGKILL)."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS raises EPERM for a group of zombies
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(_KILL_SECONDS)


# Below the range from which Linux and macOS take the ports of outgoing connections: such a connection could otherwise
# get a port before the service that it was chosen for binds it.
_PORTS = range(15_000, 32_768)
_TRIES = 200
_random = SystemRandom()
_returned_ports: set[int] = set()


def free_port(preferred: int | None = None) -> int:
    """A TCP port of 127.0.0.1 that is not in use; ``preferred``, if that is free.

    No port but ``preferred`` is returned twice, because a caller may not have bound its port yet.
    """
    if preferred is not None and _is_free(preferred):
        return preferred
    for _ in range(_TRIES):
        port = _random.choice(_PORTS)
        if port not in _returned_ports and _is_free(port):
            _returned_ports.add(port)
            return port
    message = f"No free port was found between {_PORTS[0]} and {_PORTS[-1]}."
    raise OSError(message)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def answers(url: str, status: int = 200, headers: Mapping[str, str] | None = None) -> bool:
    """Whether a GET of ``url`` (``http://host:port/path``) is answered with ``status``."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=2)  # called often while services start, so it must be cheap
    try:
        connection.request("GET", parts.path or "/", headers=headers or {})
        return connection.getresponse().status == status
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
