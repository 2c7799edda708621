"""A bug in a transport must not take a thread from the messages that come later."""

import queue
from collections.abc import Sequence

import msgspec

from shared.errors import Retryable
from shared.reasons import Reason
from shared.topology import NOTIFICATIONS_TOPIC, TOPOLOGY, subscriptions
from tests.memory_transport import MemoryQueue, MemoryTransport
from transport.port import Encoded, Received, Taken
from transport.worker import Worker, stop_all

TIMEOUT_SECONDS = 10.0
(SMS,) = (each for each in subscriptions() if each.name == TOPOLOGY["sms"].subscription)


class Buggy:
    """The queue of one subscription, with a bug in each call that settles the message ``bad``."""

    def __init__(self, messages: MemoryQueue) -> None:
        self._messages = messages
        self.take, self.wake, self.close = messages.take, messages.wake, messages.close
        self.bury = messages.bury
        self.failed: queue.SimpleQueue[None] = queue.SimpleQueue()

    def done(self, taken: Sequence[Taken]) -> None:
        self._fail_for_bad(*taken)
        self._messages.done(taken)

    def again(self, taken: Taken, after_seconds: float) -> None:
        self._fail_for_bad(taken)
        self._messages.again(taken, after_seconds)

    def _fail_for_bad(self, *taken: Taken) -> None:
        if any(each.received.data.startswith(b"bad") for each in taken):
            self.failed.put(None)
            raise ZeroDivisionError("a bug")


def test_a_bug_in_settling_a_message_leaves_the_thread_to_the_next() -> None:
    transport = MemoryTransport()
    handled: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def handle(received: Received) -> None:
        handled.put(received.data)
        if received.data == b"bad retry":
            raise Retryable(Reason.TIMEOUT)

    buggy = Buggy(transport.queue(SMS))
    worker = Worker(buggy, handle, msgspec.structs.replace(SMS, concurrency=1))
    worker.start()
    try:
        for data in (b"bad retry", b"bad done", b"good"):
            transport.store(NOTIFICATIONS_TOPIC, Encoded(data, {"channel": "sms"}))
            assert handled.get(timeout=TIMEOUT_SECONDS) == data
            if data != b"good":
                buggy.failed.get(timeout=TIMEOUT_SECONDS)
    finally:
        stop_all([worker])
    assert [each.data for each in transport.messages(SMS.name)] == [b"bad retry", b"bad done"]
