"""Child processes that start quietly, say when they are ready, and leave nothing behind."""

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
from typing import Self
from urllib.parse import urlsplit

_LAUNCH = Path(__file__).with_name("launch.py")
_POLL_SECONDS = 0.03
_KILLED_WITHIN_SECONDS = 5.0


class StartFailed(Exception):
    """A part did not become ready; ``log`` holds the last lines it wrote."""

    def __init__(self, part: str, reason: str, log: str) -> None:
        super().__init__(f"{part} {reason}\n{log}".rstrip())
        self.part = part
        self.reason = reason
        self.log = log


@dataclass(frozen=True, slots=True)
class Child:
    """A running program, the leader of its own process group, so that it can be ended with all that it started."""

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
        """Start ``argv`` with ``env`` (ours if None), writing to ``log``, as user ``uid`` if that is not -1.

        The kernel ends it with the *thread* that calls this, so call it from one that lives as long as the child shall.
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
                start_new_session=True,  # a terminal's Ctrl-C is for us alone; we end the others in order
            )
        return cls(name, process, log, stop_signal)

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def tail(self, lines: int = 20) -> str:
        """The last ``lines`` of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def wait_ready(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until ``ready()``. Raises ``StartFailed`` when the program ends before, or takes over ``seconds``."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise StartFailed(self.name, f"ended with exit code {self.process.returncode}", self.tail())
            if time.monotonic() > deadline:
                raise StartFailed(self.name, f"was not ready after {seconds:g} s", self.tail())
            time.sleep(_POLL_SECONDS)

    def ask_to_stop(self) -> None:
        """Send the polite signal to the program (its own workers are its own affair)."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(self.stop_signal)

    def stop(self, grace_seconds: float = 5.0) -> None:
        """End it: politely first, and after ``grace_seconds`` for certain."""
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(grace_seconds)
        self.kill()

    def kill(self) -> None:
        """End the whole process group at once (SIGKILL)."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says EPERM for a group of zombies
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(_KILLED_WITHIN_SECONDS)


_given: set[int] = set()


def free_port(preferred: int = 0) -> int:
    """A TCP port of 127.0.0.1 that nobody uses just now: ``preferred`` if it is such a one.

    No other is given twice, for those who got one may not have bound it yet.
    """
    port = _unused(preferred)
    while port in _given and port != preferred:
        port = _unused(0)
    _given.add(port)
    return port


def _unused(preferred: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", preferred))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(url: str, status: int = 200, headers: Mapping[str, str] | None = None) -> bool:
    """Whether ``url`` (``http://host:port/path``) answers a GET with ``status``."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=2)  # asked often while things start, so it must cost little
    try:
        connection.request("GET", parts.path or "/", headers=headers or {})
        return connection.getresponse().status == status
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
