"""Wakes the queues of this process when Postgres announces that a message was published."""

import threading

from postgres.listener import Listener
from shared.log_events import LogEvent

CHANNEL = "transport"


class Wakeups:
    """Wakes the queues whose subscription got a message. One for each process."""

    def __init__(self, database_url: str) -> None:
        self._events: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._started = False
        disconnected = LogEvent.TRANSPORT_LISTENER_DISCONNECTED
        self._listener = Listener(database_url, CHANNEL, self._wake, self._wake_all, disconnected)

    def of(self, subscription: str) -> threading.Event:
        """The event that is set when ``subscription`` may have a message. Starts to listen at the first call."""
        with self._lock:
            if not self._started:
                self._listener.start()
                self._started = True
            return self._events.setdefault(subscription, threading.Event())

    def close(self) -> None:
        self._listener.stop()

    def _wake(self, subscription: str) -> None:
        if event := self._events.get(subscription):
            event.set()

    def _wake_all(self) -> None:
        for event in list(self._events.values()):
            event.set()
