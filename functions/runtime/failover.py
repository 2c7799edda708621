"""Several providers as one: a retryable error or refused credentials lead to the next provider.

Refused credentials still raise an alert, although the message may succeed elsewhere. Failing over after an *ambiguous*
error may send twice, so it happens only where the channel's config accepts duplicates (``"accept_duplicates": true``).
The config's ``"providers"`` selects and orders the providers.
"""

import dataclasses
import functools
import logging
from collections.abc import Callable, Sequence
from functools import partial

import pybreaker

from functions.runtime.provider import Provider, Rejected, Sent
from shared.envelope import Delivery
from shared.errors import CredentialsRefused, DeliveryError, Retryable
from shared.log_events import LogEvent
from shared.logs import EventLogger
from shared.reasons import Reason

_log = EventLogger(__name__)
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
        failures: list[DeliveryError] = []
        for provider in providers:
            try:
                answer = provider.send(delivery)
            except (Retryable, CredentialsRefused) as error:
                failures.append(error)
                if _is_ambiguous(error) and not delivery.config.get("accept_duplicates"):
                    break
            else:
                _raise_alerts(failures, delivery)
                duplicate = any(map(_is_ambiguous, failures))
                return dataclasses.replace(answer, possible_duplicate=duplicate) if isinstance(answer, Sent) else answer
        if not failures:
            detail = f"None of the providers {wanted} is configured in this function."
            raise CredentialsRefused(Reason.PROVIDER_NOT_CONFIGURED, detail)
        raise _error_for(failures, delivery)


def _error_for(failures: Sequence[DeliveryError], delivery: Delivery) -> DeliveryError:
    """The last failure; ambiguous if any failure was. Raises the alerts of those that the caller does not see."""
    *earlier, last = failures
    if not any(map(_is_ambiguous, earlier)):
        _raise_alerts(earlier, delivery)
        return last
    _raise_alerts(failures, delivery)
    return Retryable(last.reason, last.detail, provider=last.provider, ambiguous=True)


def _is_ambiguous(error: DeliveryError) -> bool:
    return isinstance(error, Retryable) and error.ambiguous


def _raise_alerts(failures: Sequence[DeliveryError], delivery: Delivery) -> None:
    """Log each refusal of our credentials. The caller sees only the last failure, or an answer."""
    for error in failures:
        if isinstance(error, CredentialsRefused):
            _log.log(
                logging.CRITICAL,
                LogEvent.MESSAGE_CREDENTIALS_REFUSED,
                notification_id=delivery.notification_id,
                delivery_id=delivery.delivery_id,
                reason=error.reason,
                provider=error.provider,
                error=str(error),
            )


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
