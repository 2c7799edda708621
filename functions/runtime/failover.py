"""Several providers as one: a retryable error or refused credentials lead to the next provider.

Refused credentials still raise an alert, although the message may succeed elsewhere. Failing over after an *ambiguous*
error may send twice, so it happens only where the channel's config accepts duplicates (``"accept_duplicates": true``).
The config's ``"providers"`` selects and orders the providers. One of them that this function has no secrets for is an
alert as well, and the next one is tried.
"""

import dataclasses
import logging
from collections.abc import Sequence

from functions.runtime.provider import Provider, Rejected, Sent
from shared.envelope import Delivery
from shared.errors import CredentialsRefused, DeliveryError, Retryable, StillSending
from shared.log_events import LogEvent
from shared.logs import EventLogger
from shared.reasons import Reason

_log = EventLogger(__name__)


class Failover:
    """The providers of a channel type, in their default order."""

    name = "failover"

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._providers = {provider.name: provider for provider in providers}

    def send(self, delivery: Delivery) -> Sent | Rejected:
        failures: list[DeliveryError] = []
        for name in delivery.config.get("providers") or self._providers:
            try:
                answer = self._provider(name).send(delivery)
            except (Retryable, CredentialsRefused) as error:
                failures.append(error)
                if _is_ambiguous(error) and not delivery.config.get("accept_duplicates"):
                    break
            else:
                _log_alerts(failures, delivery)
                duplicate = any(map(_is_ambiguous, failures))
                return dataclasses.replace(answer, possible_duplicate=duplicate) if isinstance(answer, Sent) else answer
        if not failures:
            raise CredentialsRefused(Reason.PROVIDER_NOT_CONFIGURED, "No provider is configured in this function.")
        raise _error_for(failures, delivery)

    def _provider(self, name: str) -> Provider:
        if name not in self._providers:
            detail = f"The channel names {name}, which is not configured in this function: its secret is not set."
            raise CredentialsRefused(Reason.PROVIDER_NOT_CONFIGURED, detail, provider=name)
        return self._providers[name]


def _error_for(failures: Sequence[DeliveryError], delivery: Delivery) -> DeliveryError:
    """The last failure of a provider that was tried, else the last one; ambiguous if any failure was.

    Logs the alerts of those that the caller does not see.
    """
    *earlier, last = sorted(failures, key=_was_tried)
    if not any(map(_is_ambiguous, earlier)):
        _log_alerts(earlier, delivery)
        return last
    _log_alerts(failures, delivery)
    if any(isinstance(error, StillSending) for error in failures):
        return StillSending(last.reason, last.detail, provider=last.provider)
    return Retryable(last.reason, last.detail, provider=last.provider, ambiguous=True)


def _was_tried(error: DeliveryError) -> bool:
    return error.reason is not Reason.PROVIDER_NOT_CONFIGURED


def _is_ambiguous(error: DeliveryError) -> bool:
    return isinstance(error, Retryable) and error.ambiguous


def _log_alerts(failures: Sequence[DeliveryError], delivery: Delivery) -> None:
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
