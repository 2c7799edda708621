"""Which channels are switched on, for deliveries that are already published.

The publisher sends nothing to a channel that is off. This table stops the deliveries that were published before the
channel was switched off, at most ``FRESH_SECONDS`` after the table was stored. Every change gives the table a new
version. A delivery carries the version in which the publisher knew its channel to be on; so a table from before the
channel was switched on again does not stop it.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shared.errors import DeliveryError
from shared.log_events import LogEvent
from shared.logs import EventLogger

FRESH_SECONDS = 15.0
_log = EventLogger(__name__)


@dataclass(frozen=True, slots=True)
class SwitchTable:
    """Channel → whether it is on, for every channel, and the version of the whole table."""

    version: int = 0
    channels: Mapping[str, bool] = field(default_factory=dict)


class CachedSwitches:
    """The stored table behind a cache. ``clock`` returns seconds and never goes back (``time.monotonic``)."""

    def __init__(self, read: Callable[[], SwitchTable], clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._table = SwitchTable()
        self._fresh_until = float("-inf")

    def is_on(self, channel: str, switched_on: int) -> bool:
        """Whether ``channel`` may send (``ports.ChannelSwitches``).

        A table that is newer than the delivery's knowledge has every channel, so one that it lacks was deleted.

        If the table cannot be read, the last one is used: a failed read must not stop sending.
        """
        with self._lock:
            now = self._clock()
            if now >= self._fresh_until:
                self._fresh_until = now + FRESH_SECONDS
                try:
                    self._table = self._read()
                except DeliveryError as error:
                    _log.warning(LogEvent.SWITCHES_READ_FAILED, reason=error.reason, error=str(error))
            return self._table.version <= switched_on or self._table.channels.get(channel, False)
