"""One attempt at a delivery, and the outcomes that it can have."""

from dataclasses import dataclass
from datetime import datetime

from functions.runtime.provider import Rejected, Sent
from shared.channel_types import channel_type_named
from shared.envelope import Delivery
from shared.errors import Deferred, DeliveryError, Retryable
from shared.outcomes import Outcome, Result
from shared.reasons import Reason


@dataclass(frozen=True, slots=True)
class Attempt:
    """A delivery as it was received.

    ``number`` counts the attempts of this round from 1, each deferral included; None where the transport does not
    count.
    """

    delivery: Delivery
    number: int | None
    received_at: datetime

    def answered(self, answer: Sent | Rejected, at: datetime) -> Outcome:
        """The outcome of the provider's answer."""
        match answer:
            case Sent(provider, message_id, possible_duplicate):
                return self._outcome(
                    "sent",
                    at,
                    provider=provider,
                    provider_message_id=message_id,
                    possible_duplicate=possible_duplicate,
                )
            case Rejected(provider, reason, detail, suppress):
                result: Result = "suppressed" if suppress else "failed"
                return self._outcome(result, at, reason=reason, detail=detail or None, provider=provider)

    def expired(self, at: datetime) -> Outcome:
        return self._outcome("expired", at)

    def suppressed(self, reason: Reason, at: datetime) -> Outcome:
        return self._outcome("suppressed", at, reason=reason)

    def failed(self, error: DeliveryError, at: datetime) -> Outcome:
        """The outcome of an attempt that failed and will be repeated."""
        return self._outcome("attempt", at, reason=error.reason, detail=error.detail or None, provider=error.provider)

    def deferred(self, error: Deferred, at: datetime) -> Outcome:
        """The outcome of an attempt that failed. The publisher makes the next one at ``error.until``."""
        return self._outcome(
            "deferred",
            at,
            until=error.until,
            reason=error.reason,
            detail=error.detail or None,
            provider=error.provider,
            possible_duplicate=error.ambiguous,
        )

    def dead(self, error: Retryable, at: datetime) -> Outcome:
        """The outcome of the last attempt, which failed as those before it."""
        return self._outcome(
            "dead",
            at,
            reason=Reason.ATTEMPTS_USED_UP,
            detail=f"{error.reason}: {error.detail}" if error.detail else str(error.reason),
            provider=error.provider,
            possible_duplicate=error.ambiguous,
        )

    def _outcome(
        self,
        result: Result,
        at: datetime,
        *,
        until: datetime | None = None,
        reason: Reason | None = None,
        detail: str | None = None,
        provider: str | None = None,
        provider_message_id: str | None = None,
        possible_duplicate: bool = False,
    ) -> Outcome:
        return Outcome(
            notification_id=self.delivery.notification_id,
            delivery_id=self.delivery.delivery_id,
            round=self.delivery.round,
            result=result,
            at=at,
            received_at=self.received_at,
            attempt=self.number,
            deferrals=self.delivery.deferrals,
            until=until,
            reason=reason,
            detail=detail,
            provider=provider,
            provider_message_id=provider_message_id,
            possible_duplicate=possible_duplicate,
        )

    def log_fields(self) -> dict[str, object]:
        """The fields that a log record carries: no content, and only a redacted address."""
        delivery = self.delivery
        return {
            "notification_id": delivery.notification_id,
            "delivery_id": delivery.delivery_id,
            "round": delivery.round,
            "channel_type": delivery.channel_type,
            "channel": delivery.channel,
            "recipient": channel_type_named(delivery.channel_type).redact(delivery.recipient),
            "attempt": self.number,
            "traceparent": delivery.traceparent,
        }
