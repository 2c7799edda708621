"""Google's push back-off: while pushes are refused, all messages of the subscription are pushed more slowly.

Google documents 100 ms to 60 s, the same for every subscription: a service that refuses one push in five gets the next
after about 500 ms, one that refuses all after 30 to 60 s. Google does not publish the algorithm; this one has these
values. https://cloud.google.com/pubsub/docs/push#push_backoff
"""

import threading
import time

_SHORTEST_SECONDS = 0.1
_LONGEST_SECONDS = 60.0
_WEIGHT_OF_A_PUSH = 0.1
_NO_REFUSALS = 0.01


class PushBackoff:
    """Shared by the threads that push for one subscription. ``factor`` shortens each pause."""

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._lock = threading.Lock()
        self._refused_share = 0.0
        self._paused_until = 0.0

    @property
    def pause_seconds(self) -> float:
        """How long nothing is pushed after a refusal, at the present share of refused pushes."""
        if self._refused_share < _NO_REFUSALS:
            return 0.0
        growth: float = (_LONGEST_SECONDS / _SHORTEST_SECONDS) ** self._refused_share
        return self._factor * _SHORTEST_SECONDS * growth

    def wait(self) -> bool:
        """Wait until the next push may be made. Returns whether it had to wait."""
        waited = False
        while (seconds := self._paused_until - time.monotonic()) > 0:
            time.sleep(seconds)
            waited = True
        return waited

    def pushed(self, *, acknowledged: bool) -> None:
        """Take the answer to a push into account."""
        with self._lock:
            self._refused_share += _WEIGHT_OF_A_PUSH * ((not acknowledged) - self._refused_share)
            if not acknowledged:
                self._paused_until = time.monotonic() + self.pause_seconds
