"""The relay: publishes what was just accepted, at once, while its producer does not wait."""

import contextlib
import queue
import threading
from collections.abc import Sequence

from publisher_api.db.pool import Pool
from publisher_api.gathering import gather
from publisher_api.outbox.publish import CHUNK, Clock, try_publish
from shared.envelope import Delivery, Message
from shared.log_events import LogEvent
from shared.logs import EventLogger
from transport.port import Topic

# More than this is left to the sweeper: Postgres stores it more safely than this process's memory.
_MAX_WAITING = 5000
_STOP_SECONDS = 15.0
_log = EventLogger(__name__)


class Relay:
    """Publishes in a thread of its own. What cannot be published stays in the outbox.

    Deliveries that arrive during a call are published together in the next one.
    """

    def __init__(self, pool: Pool, topic: Topic[Message], clock: Clock) -> None:
        self._pool = pool
        self._topic = topic
        self._clock = clock
        self._queue: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        # One thread: a second would halve the size of each call, and both would share one interpreter.
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def publish_soon(self, deliveries: Sequence[Delivery]) -> None:
        """Hand over committed deliveries. Returns at once."""
        for delivery in deliveries[: max(0, _MAX_WAITING - self._queue.qsize())]:
            self._queue.put(delivery)

    def stop(self) -> None:
        """Finish the current call. The rest stays in the outbox."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._queue.get_nowait()
        self._queue.put(None)
        self._thread.join(timeout=_STOP_SECONDS)

    def _run(self) -> None:
        while deliveries := gather(self._queue, CHUNK):
            try:
                try_publish(self._pool, self._topic, deliveries, self._clock)
            except Exception:  # noqa: BLE001 - a bug must not end the thread; the sweeper retries
                _log.exception(LogEvent.OUTBOX_RELAY_FAILED)
