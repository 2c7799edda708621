"""Who listens to which inbox in this process: wakes the streams of a user, and ends them all."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice

import psycopg

from postgres.listener import Listener
from publisher_api.inbox.reader import StateReader
from publisher_api.live.limits import LiveLimits
from publisher_api.live.places import Places
from publisher_api.live.reads import Reads
from shared.log_events import LogEvent

CHANNEL = "inbox"
"""A notification carries the user id and nothing else: no personal data pass here, and none is too large."""
_LOOKED_AT_ONCE = 500


@dataclass(eq=False, slots=True)
class Stream:
    """A stream of one user. ``version`` is what its client knows, if anything. It begins with a read."""

    version: int | None
    must_read: bool = True
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Let the stream read: its inbox may have changed. Or let it end."""
        self.must_read = True
        self._woken.set()

    async def wait(self, seconds: float) -> None:
        """Return when the stream is woken, and after ``seconds`` at the latest."""
        # A timer of our own takes a third of the time of asyncio.timeout().
        timer = asyncio.get_running_loop().call_later(seconds, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            timer.cancel()
            self._woken.clear()


class Hub:
    """The streams of one process. A stream holds a flag here, so a slow one costs no memory, and its changes coalesce.

    ``start`` must run in the event loop. ``end`` may be called from any thread, and from a signal handler.
    """

    def __init__(self, database_url: str, reader: StateReader, limits: LiveLimits) -> None:
        self.limits = limits
        self._places = Places(limits)
        self.is_ended = False
        self.reads = Reads(reader)
        self._streams: defaultdict[str, set[Stream]] = defaultdict(set)
        disconnected = LogEvent.INBOX_LISTENER_DISCONNECTED
        self._listener = Listener(database_url, CHANNEL, self._changed, self._wake_all_soon, disconnected)
        self._loop: asyncio.AbstractEventLoop
        self._looking: asyncio.Task[None]

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.reads.start()
        self._listener.start()
        self._looking = self._loop.create_task(self._look())

    def end(self) -> None:
        """End every stream soon, and every new one at once. A server waits for open streams before it stops."""
        self._loop.call_soon_threadsafe(self._end)

    def stop(self) -> None:
        """End the streams, and the threads. Must run outside of the event loop."""
        self.end()
        self._listener.stop()
        self.reads.stop()

    @contextmanager
    def listening(self, user_id: str, since: int | None) -> Iterator[Stream]:
        """A stream that is woken when the inbox of ``user_id`` may have changed, and when all streams end.

        Raises ``Refusal`` if there are too many streams.
        """
        stream = Stream(since)
        with self._places.taken(user_id):
            self._streams[user_id].add(stream)
            try:
                yield stream
            finally:
                self._streams[user_id].discard(stream)
                if not self._streams[user_id]:
                    del self._streams[user_id]

    async def _look(self) -> None:
        """Wake the streams whose notification was lost, every ``limits.beat`` seconds."""
        while True:
            await asyncio.sleep(self.limits.beat)
            users = iter(list(self._streams))
            while some := list(islice(users, _LOOKED_AT_ONCE)):
                with suppress(psycopg.OperationalError):  # it is logged; the next look may succeed
                    self._wake_behind(some, await self.reads.versions(some))

    def _wake_behind(self, user_ids: list[str], versions: Mapping[str, int]) -> None:
        for user_id in user_ids:
            for stream in self._streams.get(user_id, ()):
                if stream.version != versions.get(user_id, 0):
                    stream.wake()

    def _changed(self, user_id: str) -> None:
        # In the thread of the listener. Most users do not listen here, so most notifications end here.
        if user_id in self._streams:
            self._loop.call_soon_threadsafe(self._wake, user_id)

    def _wake(self, user_id: str) -> None:
        for stream in self._streams.get(user_id, ()):
            stream.wake()

    def _wake_all_soon(self) -> None:
        self._loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        for user_id in self._streams:
            self._wake(user_id)

    def _end(self) -> None:
        self.is_ended = True
        self._looking.cancel()
        self.reads.end()
        self._wake_all()
