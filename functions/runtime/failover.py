"""Several providers as one: a retryable error leads to the next one, and one that keeps failing is skipped.

Failing over after an *ambiguous* error may send twice, so it happens only where the channel's config accepts
duplicates (``"accept_duplicates": true``). The config's ``"providers"`` selects and orders the providers.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from functools import partial

import pybreaker

from functions.runtime.provider import Provider, Rejected, Sent
from shared.envelope import Delivery
from shared.errors import CredentialsRefused, DeliveryError, Retryable
from shared.reasons import Reason

BREAKS_AFTER_FAILURES = 5
BREAKS_FOR_SECONDS = 30.0
_MAX_BREAKERS = 1024

BreakerKey = Callable[[Delivery], str]


def one_breaker(_delivery: Delivery) -> str:
    """The breaker key of a provider that is one service: all deliveries share a breaker."""
    return ""


class Failover:
    """The providers of a channel type, in their default order."""

    name = "failover"

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._providers = {provider.name: provider for provider in providers}

    def send(self, delivery: Delivery) -> Sent | Rejected:
        wanted = delivery.config.get("providers") or list(self._providers)
        providers = [self._providers[name] for name in wanted if name in self._providers]
        ambiguous = False
        last: DeliveryError = CredentialsRefused(
            Reason.PROVIDER_NOT_CONFIGURED, f"None of the providers {wanted} is configured in this function."
        )
        for provider in providers:
            try:
                answer = provider.send(delivery)
            except Retryable as error:
                ambiguous |= error.ambiguous
                if error.ambiguous and not delivery.config.get("accept_duplicates"):
                    raise
                last = error
            else:
                return dataclasses.replace(answer, possible_duplicate=ambiguous) if isinstance(answer, Sent) else answer
        if isinstance(last, Retryable) and ambiguous:
            raise Retryable(last.reason, last.detail, provider=last.provider, ambiguous=True) from last
        raise last


class Breaker:
    """A provider that is not called for ``seconds`` after ``fails`` retryable errors in a row.

    pybreaker holds its lock during a call, which would send one message at a time. So while the breaker is closed, the
    provider is called directly and the result reported to the breaker; only the half-open trial runs inside the lock.

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
        self._breaker_of = functools.lru_cache(maxsize=_MAX_BREAKERS)(partial(_new_breaker, fails, seconds))

    def send(self, delivery: Delivery) -> Sent | Rejected:
        breaker = self._breaker_of(self._breaker_key(delivery))
        if breaker.current_state != pybreaker.STATE_CLOSED:
            return self._send_through(breaker, delivery)
        try:
            answer = self._provider.send(delivery)
        except Retryable as error:
            _report(breaker, error)
            raise
        _report(breaker, None)
        return answer

    def _send_through(self, breaker: pybreaker.CircuitBreaker, delivery: Delivery) -> Sent | Rejected:
        try:
            answer: Sent | Rejected = breaker.call(self._provider.send, delivery)
        except pybreaker.CircuitBreakerError as error:
            raise Retryable(Reason.BREAKER_OPEN, provider=self.name) from error
        return answer


def _says_nothing_about_health(error: BaseException) -> bool:
    """Whether the provider answered, and failed for this delivery only: other paths of one host may well work."""
    return not isinstance(error, Retryable) or error.reason == Reason.NOT_ACCEPTED_NOW


def _new_breaker(fails: int, seconds: float, _key: str) -> pybreaker.CircuitBreaker:
    return pybreaker.CircuitBreaker(
        fail_max=fails,
        reset_timeout=seconds,
        exclude=[_says_nothing_about_health],
        throw_new_error_on_trip=False,
    )


def _report(breaker: pybreaker.CircuitBreaker, error: Retryable | None) -> None:
    """Count a call that ran outside the breaker."""

    def result() -> None:
        if error is not None:
            raise error

    try:
        breaker.call(result)
    except (Retryable, pybreaker.CircuitBreakerError):
        return  # the breaker raises the reported error again, or another thread has opened it meanwhile
