"""The relay: publishes what was just accepted, at once, while its producer does not wait."""

import threading
from collections.abc import Sequence

import msgspec

from postgres.pool import Pool
from publisher_api.fair_queue import FairQueue
from publisher_api.outbox.message import Outgoing
from publisher_api.outbox.publish import CHUNK, Clock, try_publish
from publisher_api.outbox.shares import Shares
from shared.envelope import Delivery, Message
from shared.lanes import Lane
from shared.log_events import LogEvent
from shared.logs import EventLogger
from transport.port import Topic

# More than this is left to the sweeper: Postgres stores it more safely than this process's memory. The deliveries and
# their messages together take a few times the bytes.
_MAX_WAITING = 5000
MAX_WAITING_BYTES = 16_000_000
_STOP_SECONDS = 15.0
_log = EventLogger(__name__)


class Relay:
    """Publishes in threads of its own. What cannot be published stays in the outbox.

    Deliveries that arrive during a call are published together in the next one: the urgent ones first, then one of each
    producer in turn. The lane ``bulk`` has a thread of its own, because nothing else may wait for its large calls.
    """

    def __init__(self, pool: Pool, topic: Topic[Message], shares: Shares, clock: Clock) -> None:
        self._pool = pool
        self._topic = topic
        self._shares = shares
        self._clock = clock
        self._bulk = FairQueue[Delivery](_MAX_WAITING, MAX_WAITING_BYTES)
        self._others = FairQueue[Delivery](_MAX_WAITING, MAX_WAITING_BYTES)
        # One for each queue: a second would halve the size of each call, and all share one interpreter.
        self._threads = [
            threading.Thread(target=self._run, args=[waiting], name=name, daemon=True)
            for name, waiting in (("relay", self._others), ("relay-bulk", self._bulk))
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def publish_soon(self, outgoing: Sequence[Outgoing]) -> None:
        """Hand over committed deliveries. Returns at once. Leaves to the sweeper what does not fit."""
        now = self._clock()
        for each in outgoing:
            delivery = self._shares.laned(each, now)
            waiting = self._bulk if delivery.lane is Lane.BULK else self._others
            size = len(msgspec.json.encode((delivery.content, delivery.payload)))
            waiting.put(delivery, each.producer, size=size, urgent=delivery.lane is Lane.URGENT)

    def stop(self) -> None:
        """Finish the current calls. The rest stays in the outbox."""
        for waiting in (self._others, self._bulk):
            waiting.clear()
            waiting.close()
        for thread in self._threads:
            thread.join(timeout=_STOP_SECONDS)

    def _run(self, waiting: FairQueue[Delivery]) -> None:
        while deliveries := waiting.take(CHUNK):
            try:
                try_publish(self._pool, self._topic, deliveries, self._clock)
            except Exception:  # noqa: BLE001 - a bug must not end the thread; the sweeper retries
                _log.exception(LogEvent.OUTBOX_RELAY_FAILED)
