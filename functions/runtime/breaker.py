"""A provider that keeps failing is not called for a while.

::

    closed ──(failures in a row)──▶ open ──(time passes)──▶ half-open: one trial ──▶ closed, or open again

No lock is held while a provider is called: each thread of an instance would wait for the length of that call.
"""

import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from functions.runtime.provider import Provider, Rejected, Sent
from shared.envelope import Delivery
from shared.errors import Retryable
from shared.reasons import Reason

BREAKS_AFTER_FAILURES = 5
BREAKS_FOR_SECONDS = 30.0
_MAX_CIRCUITS = 1024

BreakerKey = Callable[[Delivery], str]


def one_breaker(_delivery: Delivery) -> str:
    """The breaker key of a provider that is one service: all deliveries share a breaker."""
    return ""


class _Call(Enum):
    REFUSED = auto()
    USUAL = auto()
    TRIAL = auto()


@dataclass(slots=True)
class _Circuit:
    """``open_until`` is None while the circuit is closed."""

    failures: int = 0
    open_until: float | None = None
    trial_runs: bool = False

    def admit(self, now: float) -> _Call:
        if self.open_until is None:
            return _Call.USUAL
        if self.trial_runs or now < self.open_until:
            return _Call.REFUSED
        self.trial_runs = True
        return _Call.TRIAL

    def ended(self, call: _Call, *, failed: bool, opens_after: int, open_until: float) -> None:
        if call is _Call.TRIAL:
            self.trial_runs = False
        elif self.open_until is not None:
            return  # the call began before the circuit opened, and says nothing new
        self.failures = self.failures + 1 if failed else 0
        self.open_until = open_until if self.failures >= opens_after else None


class Breaker:
    """A provider that is not called for ``seconds`` after ``fails`` retryable errors in a row. Then one trial decides.

    ``breaker_key`` says which breaker a delivery uses. A provider that sends to many receivers (webhooks) has one
    breaker for each receiver, so that a receiver that is down does not stop the others.
    """

    def __init__(
        self,
        provider: Provider,
        breaker_key: BreakerKey = one_breaker,
        fails: int = BREAKS_AFTER_FAILURES,
        seconds: float = BREAKS_FOR_SECONDS,
    ) -> None:
        self.name = provider.name
        self._provider = provider
        self._breaker_key = breaker_key
        self._fails = fails
        self._seconds = seconds
        self._lock = threading.Lock()
        self._circuit_of = functools.lru_cache(maxsize=_MAX_CIRCUITS)(lambda _key: _Circuit())

    def send(self, delivery: Delivery) -> Sent | Rejected:
        key = self._breaker_key(delivery)
        with self._lock:
            circuit = self._circuit_of(key)
            call = circuit.admit(time.monotonic())
        if call is _Call.REFUSED:
            raise Retryable(Reason.BREAKER_OPEN, provider=self.name)
        failed = False
        try:
            return self._provider.send(delivery)
        except Retryable as error:
            failed = _says_that_the_provider_fails(error)
            raise
        finally:
            with self._lock:
                open_until = time.monotonic() + self._seconds
                circuit.ended(call, failed=failed, opens_after=self._fails, open_until=open_until)


def _says_that_the_provider_fails(error: Retryable) -> bool:
    """False if the provider answered, and only this delivery's path failed: other paths of a host may well work."""
    return error.reason != Reason.NOT_ACCEPTED_NOW
