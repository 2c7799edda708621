"""Reads inboxes for the streams of one process, many by one statement."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

import psycopg

from publisher_api.inbox.model import Asked
from publisher_api.inbox.reader import StateReader
from publisher_api.live.events import Event
from shared.log_events import LogEvent
from shared.logs import EventLogger

# The thread of these reads shares the connections of the routes. While a batch is sent, the event loop does nothing
# else, so a larger one would delay other requests.
MAX_BATCH = 64
_FAILURE_SECONDS = 1.0
R = TypeVar("R")
_log = EventLogger(__name__)


class Reads:
    """Groups the reads that streams ask for. A batch is what was asked while the last one ran: there is no timer.

    Streams that ask for the same get the same event, which is read and encoded once. ``start`` and ``end`` must run in
    the event loop.
    """

    def __init__(self, reader: StateReader) -> None:
        self._reader = reader
        self._waiting: defaultdict[Asked, list[asyncio.Future[Event | None]]] = defaultdict(list)
        self._in_work: list[asyncio.Future[Event | None]] = []
        self._running: asyncio.Task[None] | None = None
        self._failure: tuple[float, psycopg.OperationalError] | None = None
        self._ended = False
        self._loop: asyncio.AbstractEventLoop
        self._thread: ThreadPoolExecutor

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="live-inbox")

    def end(self) -> None:
        """Answer each read with None, those of later too, whether Postgres responds or not."""
        self._ended = True
        for future in (*self._in_work, *(each for futures in self._waiting.values() for each in futures)):
            _give(future, None)
        self._waiting.clear()

    def stop(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def changes(self, asked: Asked) -> Event | None:
        """What changed since then; None if nothing did, or all streams end.

        Raises ``psycopg.OperationalError``.
        """
        if self._ended:
            return None
        future: asyncio.Future[Event | None] = self._loop.create_future()
        self._waiting[asked].append(future)
        if self._running is None or self._running.done():
            self._running = self._loop.create_task(self._run())
        return await future

    async def versions(self, user_ids: Sequence[str]) -> Mapping[str, int]:
        """The version of each inbox that has one. Raises ``psycopg.OperationalError``."""
        return await self._in_thread(self._reader.versions, user_ids)

    async def _run(self) -> None:
        while self._waiting:
            asked = list(islice(self._waiting, MAX_BATCH))
            futures = [self._waiting.pop(each) for each in asked]
            self._in_work = [future for each in futures for future in each]
            try:
                events = await self._in_thread(self._read, asked)
            except Exception as error:  # noqa: BLE001 - the error belongs to the streams that wait
                for future in self._in_work:
                    _fail(future, error)
            else:
                for event, waiting in zip(events, futures, strict=True):
                    for future in waiting:
                        _give(future, event)
        self._in_work = []

    def _read(self, asked: Sequence[Asked]) -> list[Event | None]:
        updates = self._reader.changes(asked)
        return [Event(each.kind, each.view.version, each.view.model_dump_json()) if each else None for each in updates]

    async def _in_thread(self, read: Callable[[Any], R], argument: object) -> R:
        return await self._loop.run_in_executor(self._thread, self._unless_unavailable, read, argument)

    def _unless_unavailable(self, read: Callable[[Any], R], argument: object) -> R:
        # While Postgres is unavailable, the batches that wait behind one do not each wait for a connection again.
        if self._failure and time.monotonic() - self._failure[0] < _FAILURE_SECONDS:
            raise self._failure[1]
        try:
            return read(argument)
        except psycopg.OperationalError as error:
            self._failure = (time.monotonic(), error)
            _log.warning(LogEvent.INBOX_READ_FAILED, error=type(error).__name__)
            raise


def _give(future: asyncio.Future[Event | None], event: Event | None) -> None:
    if not future.done():  # its stream was cancelled, or all ended
        future.set_result(event)


def _fail(future: asyncio.Future[Event | None], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
