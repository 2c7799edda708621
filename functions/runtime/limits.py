"""What one delivery and one receiver may take of an instance: seconds, and deliveries at a time."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from functions.runtime.provider import Provider, Rejected, Sent
from shared.envelope import Delivery
from shared.errors import Retryable, StillSending
from shared.reasons import Reason
from shared.threads import Answer, Threads

WAITS_FOR_A_PLACE_SECONDS = 1.0
_MAX_SENDS = 256


class TimeLimit:
    """A provider that is given up after ``seconds``, so that a claim always outlives the ``send`` that it is for.

    An SDK's own timeouts apply to each read, and to each address of a host. The thread that is given up ends by them.
    What it sends meanwhile cannot be known, so the attempt is ambiguous, and its claim is kept until the lease ends.
    """

    def __init__(self, provider: Provider, seconds: float, max_sends: int = _MAX_SENDS) -> None:
        self.name = provider.name
        self._provider = provider
        self._seconds = seconds
        self._threads = Threads(max_sends, provider.name)

    def send(self, delivery: Delivery) -> Sent | Rejected:
        sending = _Sending(self._provider, delivery)
        self._threads.run(sending)
        if sending.answer.is_given(self._seconds):
            return sending.answer.get()
        detail = f"No result in {self._seconds:g} s."
        if sending.begin():  # no thread was free to begin it, and now none will
            raise Retryable(Reason.TIMEOUT, detail, provider=self.name)
        raise StillSending(Reason.TIMEOUT, detail, provider=self.name)


class _Sending:
    """One ``send`` in a thread of its own, unless ``begin`` was called before."""

    def __init__(self, provider: Provider, delivery: Delivery) -> None:
        self.answer: Answer[Sent | Rejected] = Answer()
        self._provider = provider
        self._delivery = delivery
        self._begun = threading.Lock()

    def begin(self) -> bool:
        """Whether this is the first call."""
        return self._begun.acquire(blocking=False)

    def __call__(self) -> None:
        if self.begin():
            self.answer.work_out(lambda: self._provider.send(self._delivery))


class ReceiverLimit:
    """A provider that holds at most ``limit`` deliveries of one receiver at a time.

    Another delivery waits ``seconds`` for its place, which is enough for a receiver that answers, and is then put off:
    a slow receiver must not hold every thread of an instance. ``receiver_of`` names the receiver of a delivery.
    """

    def __init__(
        self,
        provider: Provider,
        receiver_of: Callable[[Delivery], str],
        limit: int,
        seconds: float = WAITS_FOR_A_PLACE_SECONDS,
    ) -> None:
        self.name = provider.name
        self._provider = provider
        self._receiver_of = receiver_of
        self._limit = limit
        self._seconds = seconds
        self._held: Counter[str] = Counter()
        self._changed = threading.Condition()

    def send(self, delivery: Delivery) -> Sent | Rejected:
        with self._place(self._receiver_of(delivery)):
            return self._provider.send(delivery)

    @contextmanager
    def _place(self, receiver: str) -> Iterator[None]:
        with self._changed:
            if not self._changed.wait_for(lambda: self._held[receiver] < self._limit, self._seconds):
                raise Retryable(Reason.RECEIVER_BUSY, provider=self.name)
            self._held[receiver] += 1
        try:
            yield
        finally:
            with self._changed:
                self._held[receiver] -= 1
                if not self._held[receiver]:
                    del self._held[receiver]
                self._changed.notify_all()
