"""Works on one subscription: take → handle → done, again or bury."""

import contextlib
import queue
import random
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial

from shared.backoff import backoff
from shared.gathering import gather
from shared.log_events import LogEvent
from shared.logs import EventLogger
from shared.threads import Threads
from shared.topology import Subscription
from transport import verdict
from transport.port import Handler, Queue, Taken, TransportError
from transport.verdict import Verdict

_WAIT_SECONDS = 15.0
_PAUSE_SECONDS = 1.0
_MAX_DONE = 256
# Nothing waits for a message to be settled, so what is done within this time is settled together.
_SETTLE_SECONDS = 0.02
# While more messages wait than threads are free, half as many again are taken, which wait in this process: to take one
# costs about as much as to take many.
_WAITING_PART = 2
_log = EventLogger(__name__)


class Worker:
    """Takes as many messages as it has free threads, and a few more while there is a backlog.

    A message that fails is taken again after the subscription's backoff, and is buried after the subscription's
    attempts; so is one that was taken as often and never settled, because it may have killed its workers. What is done
    is reported to the transport in batches.
    """

    def __init__(self, messages: Queue, handler: Handler, subscription: Subscription) -> None:
        self._queue = messages
        self._handler = handler
        self._subscription = subscription
        name = subscription.name
        self._places = Places(subscription.concurrency)
        self._threads = Threads(subscription.concurrency, name)
        self._done: queue.SimpleQueue[Taken | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._taker = threading.Thread(target=self._take_all, name=f"take-{name}", daemon=True)
        self._settler = threading.Thread(target=self._settle_all, name=f"settle-{name}", daemon=True)

    def start(self) -> None:
        self._taker.start()
        self._settler.start()

    def ask_to_stop(self) -> None:
        """Take no more messages."""
        self._stopping.set()
        self._queue.wake()

    def stop(self) -> None:
        """Return when every message that was taken is handled and settled. Call ``ask_to_stop`` first."""
        self._taker.join()
        self._threads.stop()
        self._done.put(None)
        self._settler.join()
        self._queue.close()

    def _take_all(self) -> None:
        backlog = False
        while not self._stopping.is_set():
            places = self._places.reserve(backlog=backlog)
            try:
                taken = self._queue.take(places, _WAIT_SECONDS)
            except TransportError as error:
                _log.warning(LogEvent.WORKER_TAKE_FAILED, subscription=self._subscription.name, error=str(error))
                self._stopping.wait(_PAUSE_SECONDS)
                taken = []
            self._places.release(places - len(taken))
            backlog = len(taken) == places
            for each in taken:
                self._threads.run(partial(self._handle, each))

    def _handle(self, taken: Taken) -> None:
        try:
            if not self._is_used_up(taken) and self._verdict(taken) is Verdict.DONE:
                self._done.put(taken)
            else:
                self._put_back(taken)
        finally:
            self._places.release(1)

    def _verdict(self, taken: Taken) -> Verdict:
        try:
            return verdict.handle(self._handler, taken.received)
        except Exception:  # noqa: BLE001 - a bug must not end the worker; the message is delivered again
            _log.exception(LogEvent.WORKER_HANDLER_FAILED, subscription=self._subscription.name, id=taken.received.id)
            return Verdict.RETRY

    def _is_used_up(self, taken: Taken) -> bool:
        """Whether the message was taken for all its attempts before, and none of them was settled."""
        dead_letters, attempt = self._subscription.dead_letters, taken.received.attempt or 1
        if dead_letters is None or attempt <= dead_letters.attempts:
            return False
        fields = {"subscription": self._subscription.name, "message_id": taken.received.id}
        _log.error(LogEvent.TRANSPORT_MESSAGE_NEVER_SETTLED, **fields, attempts=dead_letters.attempts)
        return True

    def _put_back(self, taken: Taken) -> None:
        with self._failures_logged():
            put_back(self._queue, taken, self._subscription)

    def _settle_all(self) -> None:
        while done := gather(self._done, _MAX_DONE):
            with self._failures_logged():
                self._queue.done(done)
            self._stopping.wait(_SETTLE_SECONDS)

    @contextlib.contextmanager
    def _failures_logged(self) -> Iterator[None]:
        """What cannot be settled is delivered again after its deadline, and handled as what it is: a repetition."""
        try:
            yield
        except TransportError as error:
            _log.warning(LogEvent.WORKER_SETTLE_FAILED, subscription=self._subscription.name, error=str(error))
        except Exception:  # noqa: BLE001 - a bug must not end the thread, which other messages need
            _log.exception(LogEvent.WORKER_SETTLE_FAILED, subscription=self._subscription.name)


class Places:
    """How many messages the worker may take. ``_free`` are the free threads; below 0, so many messages wait for one."""

    def __init__(self, threads: int) -> None:
        self._free = threads
        self._waiting = max(1, threads // _WAITING_PART)
        self._wanted = 1
        self._changed = threading.Condition()

    def reserve(self, *, backlog: bool) -> int:
        """Wait for places, and return how many there are. They are ours until they are released.

        Where there is no ``backlog``: one for each free thread. Else so many more as may wait, when none waits.
        """
        with self._changed:
            self._wanted = 0 if backlog else 1
            self._changed.wait_for(lambda: self._free >= self._wanted)
            places = self._free + self._waiting if backlog else self._free
            self._free -= places
            return places

    def release(self, places: int) -> None:
        with self._changed:
            self._free += places
            if self._free >= self._wanted:
                self._changed.notify()


def put_back(messages: Queue, taken: Taken, subscription: Subscription) -> None:
    """Let a message that failed be taken again after the backoff; bury it after the attempts of ``subscription``."""
    attempt, dead_letters = taken.received.attempt or 1, subscription.dead_letters
    if dead_letters is not None and attempt >= dead_letters.attempts:
        messages.bury(taken)
    else:
        shortest, longest = subscription.backoff_seconds or (0.0, 0.0)
        wait = backoff(timedelta(seconds=shortest), timedelta(seconds=longest), attempt, random.random)
        messages.again(taken, wait.total_seconds())


def stop_all(workers: Sequence[Worker]) -> None:
    """Stop ``workers`` together."""
    for worker in workers:
        worker.ask_to_stop()
    for worker in workers:
        worker.stop()
