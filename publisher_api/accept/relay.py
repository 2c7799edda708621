"""From the outbox to the topic.

The *relay* publishes what was just accepted, at once and without making its producer wait. The *sweep* is the
guarantee: it publishes whatever is due and still pending, because it was scheduled, or Pub/Sub was away, or a process
died. Both mark rows only after Pub/Sub has the messages, so at worst a message is published twice, which the ledger
absorbs.
"""

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import psycopg

from publisher_api.accept.batch import gather
from publisher_api.store import acceptance, outbox
from publisher_api.store.catalog import Catalog
from publisher_api.store.pool import Pool, statements
from publisher_api.store.rows import ConfiguredChannel, envelope_of
from publisher_api.topic import PublishError, Topic
from shared.envelope import Delivery

_log = logging.getLogger(__name__)
_CHUNK = 500
# More than this is left to the sweep: Postgres holds it better than this process's memory.
_MAX_WAITING = 5000
_PATIENCE_SECONDS = 15.0
_CLEANING_EVERY = timedelta(minutes=10)

Clock = Callable[[], datetime]


def publish(pool: Pool, topic: Topic, deliveries: Sequence[Delivery], clock: Clock) -> int:
    """Publish deliveries that are committed and mark them queued; the answer is how many Pub/Sub took.

    Raises ``PublishError`` or ``psycopg.Error``.
    """
    published = 0
    for gone in topic.publish(deliveries):
        with statements(pool) as connection:
            outbox.mark_queued(connection, gone, clock())
        published += len(gone)
    return published


def publish_commands(pool: Pool, topic: Topic, clock: Clock) -> int:
    """Publish a chunk of the commands in the outbox; raises as ``publish`` does."""
    with pool.connection() as connection:
        claimed = outbox.claim_commands(connection, clock(), _CHUNK)
    ids = {id(command): command_id for command_id, command in claimed}
    published = 0
    for gone in topic.publish([command for _, command in claimed]):
        with statements(pool) as connection:
            outbox.remove_commands(connection, [ids[id(command)] for command in gone])
        published += len(gone)
    return published


def publish_now(pool: Pool, topic: Topic, deliveries: Sequence[Delivery], clock: Clock) -> None:
    """Publish deliveries that are committed, as far as Pub/Sub is there; the rest stays in the outbox."""
    try:
        publish(pool, topic, deliveries, clock)
    except (PublishError, psycopg.Error) as error:
        _log.warning(
            "could not publish; the sweep will",
            extra={"deliveries": len(deliveries), "error": type(error).__name__},
        )


class Relay:
    """Publishes in the background; what it cannot publish stays in the outbox.

    What is handed over while a call is under way goes out together in the next, whoever accepted it.
    """

    def __init__(self, pool: Pool, topic: Topic, clock: Clock) -> None:
        self._pool = pool
        self._topic = topic
        self._clock = clock
        self._queue: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        # One: a second would only halve the calls' size, and both share this process's one interpreter.
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def publish_soon(self, deliveries: Sequence[Delivery]) -> None:
        """Hand over deliveries that are committed. Returns at once."""
        for delivery in deliveries[: max(0, _MAX_WAITING - self._queue.qsize())]:
            self._queue.put(delivery)

    def stop(self) -> None:
        """Finish the call that is under way; the rest stays in the outbox."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._queue.get_nowait()
        self._queue.put(None)
        self._thread.join(timeout=_PATIENCE_SECONDS)

    def _run(self) -> None:
        while deliveries := gather(self._queue, _CHUNK):
            try:
                publish_now(self._pool, self._topic, deliveries, self._clock)
            except Exception:  # noqa: BLE001 - a bug must not end the thread; the sweep meets it again, and says so
                _log.exception("publishing failed on a bug; the sweep tries again")


def sweep(pool: Pool, topic: Topic, catalog: Catalog, clock: Clock) -> int:
    """Publish everything in the outbox that is due; the answer is how many messages. Raises as ``publish`` does."""
    swept = 0
    while True:
        # A chunk of each in turn, so that a flood of one does not keep the other waiting.
        published = _publish_due(pool, topic, catalog, clock) + publish_commands(pool, topic, clock)
        swept += published
        if not published:
            return swept


def _publish_due(pool: Pool, topic: Topic, catalog: Catalog, clock: Clock) -> int:
    with pool.connection() as connection:
        rows = outbox.claim_due(connection, clock(), _CHUNK)
    if not rows:
        return 0
    channels = catalog.current().channels
    if any(delivery.slug not in channels for _, delivery in rows):  # made since, on another instance
        catalog.drop()
        channels = catalog.current().channels
    messages = []
    for notification, delivery in rows:
        # A channel whose row somebody deleted must not hold up the others.
        deleted = ConfiguredChannel(slug=delivery.slug, kind=delivery.kind)
        messages.append(envelope_of(notification, delivery, channels.get(delivery.slug, deleted)))
    return publish(pool, topic, messages, clock)


class Sweeper:
    """Sweeps every second in a thread of its own, and clears away expired keys now and then.

    Several instances may sweep at once: each row is claimed by one of them.
    """

    def __init__(self, pool: Pool, topic: Topic, catalog: Catalog, clock: Clock, every: float = 1.0) -> None:
        self._pool = pool
        self._topic = topic
        self._catalog = catalog
        self._clock = clock
        self._every = every
        self._wake = threading.Event()
        self._stopping = False
        self._cleaned_at: datetime | None = None
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def soon(self) -> None:
        """Sweep now instead of within the second: something was put into the outbox."""
        self._wake.set()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout=15)

    def _run(self) -> None:
        while not self._stopping:
            try:
                sweep(self._pool, self._topic, self._catalog, self._clock)
                self._clean()
            except (PublishError, psycopg.Error) as error:
                _log.warning("the sweep failed and tries again", extra={"error": type(error).__name__})
            except Exception:  # noqa: BLE001 - a guarantee has no fatal errors: a bug is logged, and swept past
                _log.exception("the sweep failed on a bug and tries again")
            self._wake.wait(self._every)
            self._wake.clear()

    def _clean(self) -> None:
        now = self._clock()
        if self._cleaned_at is None or now - self._cleaned_at >= _CLEANING_EVERY:
            with self._pool.connection() as connection:
                acceptance.forget_expired_keys(connection, now)
            self._cleaned_at = now
