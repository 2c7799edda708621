"""Several providers as one: the next is tried when one asks to come back later, and a broken one is left alone.

Failing over after an *ambiguous* error may send twice, so it happens only where the channel's config says that
duplicates are acceptable (``"accept_duplicates": true``). The config's ``"providers"`` picks and orders.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from functools import partial

import pybreaker

from functions.runtime.provider import Provider, Rejected, Sent
from shared.envelope import Delivery
from shared.errors import CredentialsRefused, DeliveryError, Retryable

BREAKS_AFTER_FAILURES = 5
BROKEN_FOR_SECONDS = 30.0
_MAX_PARTIES = 1024

Party = Callable[[Delivery], str]


def the_provider_alone(_delivery: Delivery) -> str:
    return ""


class Failover:
    """The providers of a channel, in their usual order."""

    name = "failover"

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._providers = {provider.name: provider for provider in providers}

    def send(self, delivery: Delivery) -> Sent | Rejected:
        wanted = delivery.config.get("providers") or list(self._providers)
        providers = [self._providers[name] for name in wanted if name in self._providers]
        ambiguous = False
        last: DeliveryError = CredentialsRefused("provider_not_configured", f"None of {wanted} is set up here.")
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
    """A provider that is left alone for a while after ``fails`` attempts in a row asked to come back later.

    pybreaker holds its lock while it calls, which would send one message at a time. So as long as all is well the
    provider is called outside, and the breaker is told how it went; only the trial after a break goes through it.

    ``party`` says whom a delivery depends on, where one provider speaks to many (a webhook's receivers): each has a
    breaker of its own, so that one that is down holds up nobody else.
    """

    def __init__(
        self,
        provider: Provider,
        party: Party = the_provider_alone,
        fails: int = BREAKS_AFTER_FAILURES,
        seconds: float = BROKEN_FOR_SECONDS,
    ) -> None:
        self.name = provider.name
        self._provider = provider
        self._party = party
        self._breaker_of = functools.lru_cache(maxsize=_MAX_PARTIES)(partial(_breaker, fails, seconds))

    def send(self, delivery: Delivery) -> Sent | Rejected:
        breaker = self._breaker_of(self._party(delivery))
        if breaker.current_state != pybreaker.STATE_CLOSED:
            return self._try_again(delivery, breaker)
        try:
            answer = self._provider.send(delivery)
        except Retryable as error:
            _count(breaker, error)
            raise
        _count(breaker, None)
        return answer

    def _try_again(self, delivery: Delivery, breaker: pybreaker.CircuitBreaker) -> Sent | Rejected:
        try:
            answer: Sent | Rejected = breaker.call(self._provider.send, delivery)
        except pybreaker.CircuitBreakerError as error:
            raise Retryable("breaker_open", provider=self.name) from error
        return answer


def _breaker(fails: int, seconds: float, _party: str) -> pybreaker.CircuitBreaker:
    return pybreaker.CircuitBreaker(
        fail_max=fails,
        reset_timeout=seconds,
        exclude=[lambda error: not isinstance(error, Retryable)],
        throw_new_error_on_trip=False,
    )


def _count(breaker: pybreaker.CircuitBreaker, error: Retryable | None) -> None:
    def happened() -> None:
        if error is not None:
            raise error

    try:
        breaker.call(happened)
    except (Retryable, pybreaker.CircuitBreakerError):
        return  # the breaker gives back what it was told, or was opened by another thread meanwhile
