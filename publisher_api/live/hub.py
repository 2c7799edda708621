"""Who listens to which inbox in this process: wakes the streams of a user, reads for them, and ends them all."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg

from postgres.listener import Listener
from publisher_api.inbox.reader import StateReader, Update
from publisher_api.live.limits import LiveLimits
from publisher_api.live.places import Places
from shared.log_events import LogEvent

CHANNEL = "inbox"
"""A notification carries the user id and nothing else: no personal data pass here, and none is too large."""

# They share the connections of the routes. A stream has one read at a time, so no more reads wait than streams exist.
_READERS = 2
_FAILURE_SECONDS = 1.0


class Hub:
    """The streams of one process. A stream holds a flag here, so a slow one costs no memory, and its changes coalesce.

    ``start`` must run in the event loop. ``end`` may be called from any thread, and from a signal handler.
    """

    def __init__(self, database_url: str, reader: StateReader, limits: LiveLimits) -> None:
        self.limits = limits
        self._reader = reader
        self._places = Places(limits)
        self._listening: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        disconnected = LogEvent.INBOX_LISTENER_DISCONNECTED
        self._listener = Listener(database_url, CHANNEL, self._changed, self._wake_all_soon, disconnected)
        self._failure: tuple[float, psycopg.OperationalError] | None = None
        self._loop: asyncio.AbstractEventLoop
        self._ended: asyncio.Future[None]
        self._threads: ThreadPoolExecutor

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._threads = ThreadPoolExecutor(_READERS, thread_name_prefix="live-inbox")
        self._listener.start()

    def end(self) -> None:
        """End every stream soon, and every new one at once. A server waits for open streams before it stops."""
        self._loop.call_soon_threadsafe(self._end)

    def stop(self) -> None:
        """End the streams, and the threads. Must run outside of the event loop."""
        self.end()
        self._listener.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)

    @property
    def is_ended(self) -> bool:
        return self._ended.done()

    @contextmanager
    def listening(self, user_id: str) -> Iterator[asyncio.Event]:
        """An event that is set when the inbox of ``user_id`` may have changed, and when all streams end.

        Raises ``Refusal`` if there are too many streams.
        """
        woken = asyncio.Event()
        with self._places.taken(user_id):
            self._listening[user_id].add(woken)
            try:
                yield woken
            finally:
                self._listening[user_id].discard(woken)
                if not self._listening[user_id]:
                    del self._listening[user_id]

    async def read(self, user_id: str, since: int | None) -> Update | None:
        """What changed after ``since``; None if nothing did, or all streams end.

        Raises ``psycopg.OperationalError``.
        """
        job = self._loop.run_in_executor(self._threads, self._read, user_id, since)
        either: set[asyncio.Future[Any]] = {job, self._ended}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not job.done():
            job.cancel()
            return None
        return job.result()

    def _read(self, user_id: str, since: int | None) -> Update | None:
        # While Postgres is unavailable, the reads that wait behind one do not each wait for a connection again.
        if self._failure and time.monotonic() - self._failure[0] < _FAILURE_SECONDS:
            raise self._failure[1]
        try:
            return self._reader.changes(user_id, since)
        except psycopg.OperationalError as error:
            self._failure = (time.monotonic(), error)
            raise

    async def rest(self, seconds: float) -> None:
        """Return after ``seconds``, or at once when all streams end."""
        await asyncio.wait({self._ended}, timeout=seconds)

    def _changed(self, user_id: str) -> None:
        # In the thread of the listener. Most users do not listen here, so most notifications end here.
        if user_id in self._listening:
            self._loop.call_soon_threadsafe(self._wake, user_id)

    def _wake(self, user_id: str) -> None:
        for woken in self._listening.get(user_id, ()):
            woken.set()

    def _wake_all_soon(self) -> None:
        self._loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        for user_id in self._listening:
            self._wake(user_id)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
        self._wake_all()
