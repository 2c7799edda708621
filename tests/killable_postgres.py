"""A Postgres that a test kills (SIGKILL) and starts again."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from local.postgres import READY_SECONDS, Postgres, migrate
from local.processes import Child, StartFailed

T = TypeVar("T")
_PAUSE_SECONDS = 0.1


class KillablePostgres:
    """A running server. ``url`` is that of its database, which has the newest schema."""

    def __init__(self, server: Postgres) -> None:
        self.url = server.url
        self._server = server
        self._child = self._start()

    def kill(self) -> None:
        self._child.kill()

    def restart(self) -> None:
        """Start the killed server, and wait until it is ready."""
        self._child = start_again(self._start)

    def stop(self) -> None:
        self._child.stop()

    def _start(self) -> Child:
        child = self._server.start()
        child.wait_ready(self._server.ready, READY_SECONDS)
        return child


@contextmanager
def killable_postgres(directory: Path, log: Path) -> Iterator[KillablePostgres]:
    """A server with its data in a new directory below ``directory``."""
    server = Postgres(directory / f"killable-{os.urandom(4).hex()}", log, ("fsync=off",))
    server.prepare()
    running = KillablePostgres(server)
    try:
        migrate(server.url)
        yield running
    finally:
        running.stop()
        server.remove_socket()


def start_again(start: Callable[[], T]) -> T:
    """Return what ``start`` returns. Repeats it while it raises ``StartFailed``, for ``READY_SECONDS``.

    The backends of a killed server hold its shared memory until they notice its end, and no server starts until then.
    """
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            return start()
        except StartFailed:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
