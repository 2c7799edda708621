"""Counts the streams of one process, and refuses those that are too many."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from publisher_api.live.limits import LiveLimits
from publisher_api.refusal import Refusal, RefusalCode
from shared.log_events import LogEvent
from shared.logs import EventLogger

Limit = Literal["user", "process"]
_LOG_SECONDS = 60.0  # a client that is refused may ask again at once, and each record costs more than a refusal
_log = EventLogger(__name__)


class Places:
    """Not thread-safe: belongs to the event loop."""

    def __init__(self, limits: LiveLimits) -> None:
        self._limits = limits
        self._taken = 0
        self._taken_by: Counter[str] = Counter()
        self._logged_at: dict[Limit, float] = {}

    @contextmanager
    def taken(self, user_id: str) -> Iterator[None]:
        """Take a place for a stream of this user while the context lasts. Raises ``Refusal``."""
        if self._taken_by[user_id] >= self._limits.streams_per_user:
            raise self._refusal("user", f"This user has {self._limits.streams_per_user} streams. Close one of them.")
        if self._taken >= self._limits.streams:
            raise self._refusal("process", f"This publisher has {self._limits.streams} streams. Connect again later.")
        self._taken += 1
        self._taken_by[user_id] += 1
        try:
            yield
        finally:
            self._taken -= 1
            self._taken_by[user_id] -= 1
            if not self._taken_by[user_id]:
                del self._taken_by[user_id]

    def _refusal(self, limit: Limit, detail: str) -> Refusal:
        now = time.monotonic()
        if now - self._logged_at.get(limit, -_LOG_SECONDS) >= _LOG_SECONDS:
            self._logged_at[limit] = now
            _log.warning(LogEvent.INBOX_TOO_MANY_STREAMS, limit=limit)
        return Refusal(RefusalCode.TOO_MANY_STREAMS, detail)
