"""When API keys were used last: noted in memory by each request, and written once a minute."""

import math
import threading
import time
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import psycopg

from postgres.pool import Pool
from publisher_api.api_keys import store
from shared.log_events import LogEvent
from shared.logs import EventLogger

_EVERY_SECONDS = 60.0
_STOP_SECONDS = 5.0
_log = EventLogger(__name__)


class KeyUses:
    """Notes uses; safe to share between threads. A process that is killed loses those of its last minute."""

    def __init__(self, pool: Pool, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._clock = clock
        self._noted: dict[UUID, datetime] = {}
        self._lock = threading.Lock()
        # The first use is due at once: a serverless process may end within a minute.
        self._written_at = -math.inf
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="key-uses", daemon=True)

    def note(self, key_id: UUID) -> None:
        """The key was used now."""
        now = self._clock()
        with self._lock:
            self._noted[key_id] = now

    def start(self) -> None:
        """Write in a thread. Without it, a request that finds that a write ``is_due`` calls ``write``."""
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=_STOP_SECONDS)

    @property
    def is_due(self) -> bool:
        """Whether nothing was written for a minute."""
        return time.monotonic() - self._written_at >= _EVERY_SECONDS

    def write(self) -> None:
        """Write what was noted. What cannot be written is written with the next uses. Blocks on Postgres."""
        self._written_at = time.monotonic()
        with self._lock:
            noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            with self._pool.connection() as connection:
                store.record_uses(connection, noted)
        except psycopg.Error as error:
            with self._lock:
                self._noted = noted | self._noted
            _log.warning(LogEvent.KEY_USES_NOT_WRITTEN, error=type(error).__name__)

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_SECONDS):
            self.write()
        self.write()
