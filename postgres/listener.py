"""Listens to one channel of Postgres (``LISTEN``), on a connection of its own.

One connection for each process and channel: a ``NOTIFY`` costs more, the more connections listen.
"""

import threading
from collections.abc import Callable

import psycopg

from shared.log_events import LogEvent
from shared.logs import EventLogger

_RECONNECT_SECONDS = 1.0
_LISTEN_SECONDS = 1.0
_log = EventLogger(__name__)


class Listener:
    """A thread that calls ``notified`` with the payload of each notification.

    It calls ``connected`` whenever it has connected, because notifications may have been missed until then. A lost
    connection is logged as ``disconnected``, and made again.
    """

    def __init__(
        self,
        database_url: str,
        channel: str,
        notified: Callable[[str], None],
        connected: Callable[[], None],
        disconnected: LogEvent,
    ) -> None:
        self._database_url = database_url
        self._channel = channel
        self._notified = notified
        self._connected = connected
        self._disconnected = disconnected
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"listen-{channel}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return when the connection is closed, or soon if it is stuck. Does nothing before ``start``."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=2 * _LISTEN_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg.OperationalError as error:
                _log.warning(self._disconnected, error=type(error).__name__)
                self._stopping.wait(_RECONNECT_SECONDS)

    def _listen(self) -> None:
        with psycopg.connect(self._database_url, autocommit=True, connect_timeout=3) as connection:
            connection.execute(f"listen {self._channel}")
            self._connected()
            while not self._stopping.is_set():
                for notification in connection.notifies(timeout=_LISTEN_SECONDS):
                    self._notified(notification.payload)
