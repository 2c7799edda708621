"""Runs an installed RabbitMQ server as a child process, on ports of 127.0.0.1 of its own."""

import os
import shutil
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from local.processes import Child, free_port

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""The server itself. The program of the same name in /usr/sbin changes to another user."""
READY_SECONDS = 60.0
_CONNECT_SECONDS = 2.0
_PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
_METHOD_FRAME = b"\x01"
# A message that waited for its next attempt moves to its queue when that queue confirms it. Where a killed server lost
# the confirm, RabbitMQ moves the message again after this time; by default after three minutes.
_MOVED_AGAIN_AFTER_MS = 10_000


class RabbitmqMissing(Exception):
    """RabbitMQ is not installed; the message says what to do."""

    def __init__(self) -> None:
        super().__init__(
            f"The profile rabbitmq needs RabbitMQ and Erlang's epmd: {PROGRAM} or epmd was not found.\n"
            "Debian and Ubuntu: apt-get install --no-install-recommends rabbitmq-server\n"
            "Or set AMQP_URL to a server that runs elsewhere, or choose another profile: PROFILE=postgres."
        )


def installed() -> bool:
    """Whether the server, and the name server of Erlang that it needs, are installed."""
    return os.access(PROGRAM, os.X_OK) and shutil.which("epmd") is not None


@dataclass(frozen=True, slots=True)
class RabbitmqServer:
    """A server with its data in ``data``. It runs as the current user. Start epmd first, and stop it last.

    Each Erlang node registers with an epmd, Erlang's name server. A node that finds none starts one as a daemon, which
    stays when the node ends. Ours is a child of its own, on a port of its own: it ends with us.
    """

    data: Path
    log: Path
    port: int = field(default_factory=free_port)
    epmd_port: int = field(default_factory=free_port)
    distribution_port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """The AMQP URL. RabbitMQ lets the user ``guest`` connect from this machine only."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def start_epmd(self) -> Child:
        """Start Erlang's name server. Wait for ``epmd_ready`` afterwards. Raises ``RabbitmqMissing``."""
        program = shutil.which("epmd")
        if program is None:
            raise RabbitmqMissing
        arguments = ["-port", str(self.epmd_port), "-address", "127.0.0.1"]
        return Child.start("epmd", [program, *arguments], log=self.log.with_name("epmd.log"))

    def epmd_ready(self) -> bool:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.epmd_port), _CONNECT_SECONDS).close()
            return True
        return False

    def start(self) -> Child:
        """Start the server. Wait for ``ready`` afterwards. Raises ``RabbitmqMissing``."""
        if not installed():
            raise RabbitmqMissing
        self.data.mkdir(parents=True, exist_ok=True)
        self._config.write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\nvm_memory_high_watermark.absolute = 1GiB\n")
        self._plugins.write_text("[].\n")
        return Child.start("rabbitmq", [str(PROGRAM)], log=self.log, env={**os.environ, **self.environment})

    def ready(self) -> bool:
        """Whether the server answers as an AMQP server does."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), _CONNECT_SECONDS) as connection:
            connection.sendall(_PROTOCOL_HEADER)
            return connection.recv(1) == _METHOD_FRAME
        return False

    @property
    def _config(self) -> Path:
        return self.data / "rabbitmq.conf"

    @property
    def _plugins(self) -> Path:
        return self.data / "enabled_plugins"

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of the server, with which RabbitMQ's own tools find it too."""
        return {
            "HOME": str(self.data),  # for the cookie of Erlang
            "RABBITMQ_NODENAME": "heliograph@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self.data / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.data / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self.data / "pid"),
            "RABBITMQ_CONFIG_FILE": str(self._config),
            "RABBITMQ_CONF_ENV_FILE": str(self.data / "no-rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._plugins),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none"
                f" -rabbit dead_letter_worker_publisher_confirm_timeout {_MOVED_AGAIN_AFTER_MS}"
            ),
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_FLAGS": "-start_epmd false",
        }
