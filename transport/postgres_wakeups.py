"""Wakes the queues of this process when Postgres announces that a message was published."""

import threading

import psycopg

from shared.log_events import LogEvent
from shared.logs import EventLogger

CHANNEL = "transport"
_RECONNECT_SECONDS = 1.0
_LISTEN_SECONDS = 1.0
_log = EventLogger(__name__)


class Wakeups:
    """Listens on a connection of its own, and wakes the queues whose subscription got a message.

    One for each process: a NOTIFY costs more, the more connections listen.
    """

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._events: dict[str, threading.Event] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wakeups", daemon=True)
        self._lock = threading.Lock()
        self._started = False

    def of(self, subscription: str) -> threading.Event:
        """The event that is set when ``subscription`` may have a message. Starts to listen at the first call."""
        with self._lock:
            if not self._started:
                self._thread.start()
                self._started = True
            return self._events.setdefault(subscription, threading.Event())

    def close(self) -> None:
        self._stopping.set()
        if self._started:
            self._thread.join(timeout=2 * _LISTEN_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except psycopg.OperationalError as error:
                _log.warning(LogEvent.TRANSPORT_LISTENER_DISCONNECTED, error=type(error).__name__)
                self._stopping.wait(_RECONNECT_SECONDS)

    def _listen(self) -> None:
        with psycopg.connect(self._database_url, autocommit=True, connect_timeout=3) as connection:
            connection.execute(f"listen {CHANNEL}")
            for event in list(self._events.values()):
                event.set()  # for what was published meanwhile
            while not self._stopping.is_set():
                for notification in connection.notifies(timeout=_LISTEN_SECONDS):
                    self._wake(notification.payload)

    def _wake(self, subscription: str) -> None:
        if event := self._events.get(subscription):
            event.set()
