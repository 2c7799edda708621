"""Chooses the lane of each delivery. A producer has a share of the urgent lane and one of the normal lane.

What it publishes beyond them travels in the lane ``bulk``. There, it delays only what other producers send beyond their
own shares. While no one else waits, it is delivered as fast as in the other lanes.
"""

import threading
from datetime import datetime
from typing import NamedTuple

import msgspec

from publisher_api.outbox.message import Outgoing
from shared.envelope import Delivery
from shared.lanes import Lane, is_urgent


class Share(NamedTuple):
    """How many deliveries a producer may publish at once, and per second from then on."""

    burst: float
    per_second: float


URGENT_SHARE = Share(burst=500, per_second=100)
# What producers send within this waits for each other: the less it is, the more of them a worker can serve in time.
NORMAL_SHARE = Share(burst=50, per_second=20)
_SHARES = {Lane.URGENT: URGENT_SHARE, Lane.NORMAL: NORMAL_SHARE}
_MOST_BUCKETS = 10_000


class Bucket(NamedTuple):
    """What is left of a share, and when that was."""

    left: float
    at: datetime


def spend(bucket: Bucket | None, share: Share, now: datetime) -> Bucket | None:
    """The bucket after one delivery; None if the share is used up. A bucket that is new is full.

    >>> from datetime import timedelta
    >>> noon = datetime(2026, 3, 1, 12)
    >>> one = spend(None, Share(burst=2, per_second=1), noon)
    >>> two = spend(one, Share(burst=2, per_second=1), noon)
    >>> spend(two, Share(burst=2, per_second=1), noon)
    >>> spend(two, Share(burst=2, per_second=1), noon + timedelta(seconds=9)).left
    1.0
    """
    left = share.burst
    if bucket is not None:
        passed = max(0.0, (now - bucket.at).total_seconds())
        left = min(share.burst, bucket.left + passed * share.per_second)
    return Bucket(left - 1.0, now) if left >= 1.0 else None


class Shares:
    """What each producer has left of its shares in this process. Safe to share between threads."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, Lane], Bucket] = {}
        self._lock = threading.Lock()

    def laned(self, outgoing: Outgoing, now: datetime) -> Delivery:
        """The message of ``outgoing`` with the lane in which to publish it now."""
        lane = self._lane(outgoing.producer, outgoing.delivery.priority, now)
        return msgspec.structs.replace(outgoing.delivery, lane=lane)

    def _lane(self, producer: str, priority: int, now: datetime) -> Lane:
        lane = Lane.URGENT if is_urgent(priority) else Lane.NORMAL
        with self._lock:
            spent = spend(self._buckets.get((producer, lane)), _SHARES[lane], now)
            if spent is None:
                return Lane.BULK
            if len(self._buckets) >= _MOST_BUCKETS:
                self._buckets.clear()  # the shares are full again, which is no harm once in so many producers
            self._buckets[producer, lane] = spent
            return lane
