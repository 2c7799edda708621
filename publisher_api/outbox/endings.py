"""Outcomes that the publisher decides itself, for deliveries that no function can report. Pure."""

from datetime import datetime

from publisher_api.notifications.records import DeliveryRecord
from shared.outcomes import Outcome
from shared.reasons import Reason


def unreported(delivery: DeliveryRecord, now: datetime) -> Outcome:
    """The end of a delivery that expired, and whose outcome never arrived."""
    return Outcome(
        notification_id=delivery.notification_id,
        delivery_id=delivery.delivery_id,
        round=delivery.round,
        result="expired",
        at=now,
        reason=Reason.NO_REPORT,
    )
