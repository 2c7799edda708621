"""Outcomes that the publisher decides itself, for deliveries that no function can report. Pure."""

from datetime import datetime

from publisher_api.notifications.records import DeliveryRecord
from publisher_api.planning.allow import missing_address
from shared.channel_types import channel_type_named
from shared.envelope import Delivery
from shared.outcomes import Outcome, Result
from shared.reasons import Reason


def unreported(delivery: DeliveryRecord, now: datetime) -> Outcome:
    """The end of a delivery that expired, and whose outcome never arrived."""
    return _ended(delivery, "expired", Reason.NO_REPORT, now)


def refused(message: Delivery, now: datetime) -> Outcome:
    """The end of a delivery whose message the transport does not accept."""
    return _ended(message, "failed", Reason.TRANSPORT_REFUSED, now)


def without_address(delivery: DeliveryRecord, now: datetime) -> Outcome:
    """The end of a delivery whose user had an address when it was scheduled, and has none when it is due."""
    return _ended(delivery, "suppressed", missing_address(channel_type_named(delivery.channel_type).address), now)


def of_deleted_channel(delivery: DeliveryRecord, now: datetime) -> Outcome:
    """The end of a delivery whose channel was deleted before it was published."""
    return _ended(delivery, "suppressed", Reason.CHANNEL_DELETED, now)


def beyond_the_limit(delivery: DeliveryRecord, now: datetime) -> Outcome:
    """The end of a delivery that would expire before its channel has a token for it."""
    return _ended(delivery, "suppressed", Reason.CHANNEL_LIMIT, now)


def _ended(delivery: DeliveryRecord | Delivery, result: Result, reason: Reason, now: datetime) -> Outcome:
    return Outcome(
        notification_id=delivery.notification_id,
        delivery_id=delivery.delivery_id,
        round=delivery.round,
        result=result,
        at=now,
        reason=reason,
    )
