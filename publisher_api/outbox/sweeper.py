"""The sweeper: the guarantee. It publishes whatever is due and still in the outbox.

A delivery is due when it was scheduled for now, when the transport was unavailable, or when a process died before it
published.
"""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import psycopg

from postgres.pool import Pool
from publisher_api.channels.model import Channel
from publisher_api.db.config_cache import ConfigCache
from publisher_api.deliveries.service import record_outcomes
from publisher_api.outbox import recipients, store
from publisher_api.outbox.chores import Chore, Chores
from publisher_api.outbox.endings import of_deleted_channel, unreported
from publisher_api.outbox.epochs import ReadEpoch, make_lost_due
from publisher_api.outbox.limits import within_limits
from publisher_api.outbox.message import Outgoing, message_of
from publisher_api.outbox.publish import CHUNK, Clock, publish, publish_commands
from publisher_api.outbox.shares import Shares
from shared.batches import batches
from shared.envelope import Message
from shared.log_events import LogEvent
from shared.logs import EventLogger
from transport.port import PublishError, Topic

_log = EventLogger(__name__)
_STOP_SECONDS = 15.0
# Most sweeps look only at what became due lately, so that they do not read the dead entries of everything before.
LATELY = timedelta(seconds=30)
_COMPLETE_EVERY = timedelta(seconds=10)
_TIME_OF_A_CHORE = timedelta(milliseconds=300)
# The rows, the messages and their bytes together take a few times as much.
_PORTION_BYTES = 8_000_000


def sweep(
    pool: Pool,
    topic: Topic[Message],
    cache: ConfigCache,
    shares: Shares,
    clock: Clock,
    within: timedelta | None = None,
) -> int:
    """Publish everything in the outbox that is due; returns how many messages. Raises as ``publish`` does.

    ``within`` leaves out the deliveries that became due longer ago.
    """
    total = 0
    while True:
        # A chunk of each in turn, so that many deliveries do not delay the commands.
        due = _claim(pool, clock(), within)
        # In portions whose messages fit in memory together.
        portions = batches(due, lambda delivery: delivery.bytes, max_size=_PORTION_BYTES)
        published = 0
        for portion in portions:
            outgoing = _outgoing(pool, cache, clock, portion)
            published += publish(pool, topic, [shares.laned(each, clock()) for each in outgoing], clock)
        published += publish_commands(pool, topic, clock)
        total += published
        if not due and not published:
            return total


def _claim(pool: Pool, now: datetime, within: timedelta | None) -> list[store.Due]:
    with pool.connection() as connection:
        return store.claim_due(connection, now, CHUNK, now - within if within else None)


def _outgoing(pool: Pool, cache: ConfigCache, clock: Clock, portion: Sequence[store.Due]) -> list[Outgoing]:
    """What is to be published of ``portion``. Closes what is lost or has no recipient any more."""
    with pool.connection() as connection:
        claimed = store.load_claimed(connection, [due.delivery_id for due in portion])
    _close_lost(pool, [delivery for _, delivery in claimed if delivery.is_overdue], clock())
    channels = _channels(cache, claimed)
    kept = _of_channels(pool, [each for each in claimed if not each[1].is_lost], channels, clock())
    resolved = recipients.resolve(pool, kept, clock())
    admitted = within_limits(pool, resolved, cache.current().limits, clock()) if resolved else []
    return _messages(admitted, channels)


def _close_lost(pool: Pool, overdue: Sequence[store.ClaimedDelivery], now: datetime) -> None:
    if not overdue:
        return
    lost = [unreported(delivery, now) for delivery in overdue if delivery.is_lost]
    _log.error(LogEvent.OUTCOMES_OVERDUE, deliveries=len(overdue), closed=len(lost))
    record_outcomes(pool, lost)


def _channels(cache: ConfigCache, claimed: Sequence[store.Claimed]) -> Mapping[str, Channel]:
    """The channels, by slug. Reads them again if one is missing: another instance may have created it."""
    channels = cache.current().channels if claimed else {}
    if any(delivery.channel not in channels for _, delivery in claimed):
        cache.drop()
        channels = cache.current().channels
    return channels


def _of_channels(
    pool: Pool, claimed: Sequence[store.Claimed], channels: Mapping[str, Channel], now: datetime
) -> list[store.Claimed]:
    """Those whose channel exists, and those that were published before it was deleted. Suppresses the others."""
    deleted = [each for _, each in claimed if each.channel not in channels and each.status == "pending"]
    record_outcomes(pool, [of_deleted_channel(delivery, now) for delivery in deleted])
    ended = {delivery.delivery_id for delivery in deleted}
    return [each for each in claimed if each[1].delivery_id not in ended]


def _messages(claimed: Sequence[store.Claimed], channels: Mapping[str, Channel]) -> list[Outgoing]:
    messages = []
    for notification, delivery in claimed:
        # Published before its channel was deleted, and without an outcome. Its function reports what became of it.
        deleted = Channel(slug=delivery.channel, channel_type=delivery.channel_type)
        message = message_of(notification, delivery, channels.get(delivery.channel, deleted))
        messages.append(Outgoing(notification.producer, message))
    return messages


def sweep_is_overdue(pool: Pool, now: datetime) -> bool:
    """Whether deliveries are due, or their outcomes missing, for so long that something is broken.

    Raises ``psycopg.Error``.
    """
    with pool.connection() as connection:
        return store.sweep_is_overdue(connection, now)


class Sweeper:
    """Sweeps every second in a thread of its own, and then runs those of ``chores`` that are due, for 0.3 s each.

    ``read_epoch`` returns the epoch of the transport. What the transport has lost is published again.

    Several instances may sweep at the same time: each row is claimed by one of them.
    """

    def __init__(
        self,
        pool: Pool,
        topic: Topic[Message],
        cache: ConfigCache,
        shares: Shares,
        clock: Clock,
        chores: tuple[Chore, ...],
        interval_seconds: float = 1.0,
        *,
        read_epoch: ReadEpoch,
    ) -> None:
        self._pool = pool
        self._topic = topic
        self._cache = cache
        self._shares = shares
        self._clock = clock
        self._chores = Chores(chores, _TIME_OF_A_CHORE)
        self._interval_seconds = interval_seconds
        self._read_epoch = read_epoch
        self._wake = threading.Event()
        self._stopping = False
        self._completed_at: datetime | None = None
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def sweep_soon(self) -> None:
        """Sweep now and not within the next second, because something was added to the outbox."""
        self._wake.set()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout=_STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._sweep()
                self._chores.run(self._clock())
            except (PublishError, psycopg.Error) as error:
                self._completed_at = None
                _log.warning(LogEvent.OUTBOX_SWEEP_FAILED, error=type(error).__name__)
            except Exception:  # noqa: BLE001 - a bug must not end the sweeper; the next sweep tries again
                self._completed_at = None
                _log.exception(LogEvent.OUTBOX_SWEEP_FAILED)
            self._wake.wait(self._interval_seconds)
            self._wake.clear()

    def _sweep(self) -> None:
        """Sweep what became due lately; everything after a failure, and every ten seconds."""
        make_lost_due(self._pool, self._read_epoch, self._clock)
        now = self._clock()
        complete = self._completed_at is None or now - self._completed_at >= _COMPLETE_EVERY
        sweep(self._pool, self._topic, self._cache, self._shares, self._clock, None if complete else LATELY)
        if complete:
            self._completed_at = now
