"""Hears from Postgres whose inbox has changed: one connection for the whole process."""

import threading
from collections.abc import Callable

import psycopg

from shared.log_events import LogEvent
from shared.logs import EventLogger

CHANNEL = "inbox"
_RECONNECT_SECONDS = 1.0
_LISTEN_SECONDS = 1.0
_log = EventLogger(__name__)


class InboxWakeups:
    """A thread that calls ``changed`` with a user id; and ``connected`` when it has connected, for what it missed.

    A notification carries the user id and nothing else, so no personal data passes here, and none is too large.
    """

    def __init__(self, database_url: str, changed: Callable[[str], None], connected: Callable[[], None]) -> None:
        self._database_url = database_url
        self._changed = changed
        self._connected = connected
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inbox-wakeups", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=2 * _LISTEN_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg.OperationalError as error:
                _log.warning(LogEvent.INBOX_LISTENER_DISCONNECTED, error=type(error).__name__)
                self._stopping.wait(_RECONNECT_SECONDS)

    def _listen(self) -> None:
        with psycopg.connect(self._database_url, autocommit=True, connect_timeout=3) as connection:
            connection.execute(f"listen {CHANNEL}")
            self._connected()
            while not self._stopping.is_set():
                for notification in connection.notifies(timeout=_LISTEN_SECONDS):
                    self._changed(notification.payload)
