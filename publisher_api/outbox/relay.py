"""The relay: publishes what was just accepted, at once, while its producer does not wait."""

import contextlib
import queue
import threading
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from postgres.pool import Pool
from publisher_api.outbox.publish import CHUNK, Clock, try_publish
from shared.envelope import Delivery, Message
from shared.gathering import gather
from shared.log_events import LogEvent
from shared.logs import EventLogger
from transport.port import Topic

# More than this is left to the sweeper: Postgres stores it more safely than this process's memory. The deliveries and
# their messages together take a few times the bytes.
_MAX_WAITING = 5000
MAX_WAITING_BYTES = 16_000_000
_STOP_SECONDS = 15.0
_log = EventLogger(__name__)


class _Waiting(NamedTuple):
    """A delivery in the queue, and about how many bytes its message has."""

    delivery: Delivery
    bytes: int


class Relay:
    """Publishes in a thread of its own. What cannot be published stays in the outbox.

    Deliveries that arrive during a call are published together in the next one.
    """

    def __init__(self, pool: Pool, topic: Topic[Message], clock: Clock) -> None:
        self._pool = pool
        self._topic = topic
        self._clock = clock
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        # One thread: a second would halve the size of each call, and both would share one interpreter.
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def publish_soon(self, deliveries: Sequence[Delivery]) -> None:
        """Hand over committed deliveries. Returns at once. Leaves to the sweeper what does not fit."""
        for delivery in deliveries[: max(0, _MAX_WAITING - self._queue.qsize())]:
            size = len(msgspec.json.encode((delivery.content, delivery.payload)))
            if self._add_bytes(size):
                self._queue.put(_Waiting(delivery, size))

    def stop(self) -> None:
        """Finish the current call. The rest stays in the outbox."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._queue.get_nowait()
        self._queue.put(None)
        self._thread.join(timeout=_STOP_SECONDS)

    def _run(self) -> None:
        while waiting := gather(self._queue, CHUNK):
            try:
                try_publish(self._pool, self._topic, [each.delivery for each in waiting], self._clock)
            except Exception:  # noqa: BLE001 - a bug must not end the thread; the sweeper retries
                _log.exception(LogEvent.OUTBOX_RELAY_FAILED)
            self._add_bytes(-sum(each.bytes for each in waiting))

    def _add_bytes(self, size: int) -> bool:
        """Count ``size`` bytes more, or less; returns whether they fit."""
        with self._lock:
            if self._waiting_bytes + size > MAX_WAITING_BYTES:
                return False
            self._waiting_bytes += size
            return True
