"""Builds the timeline of a notification from what its path has stored. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from publisher_api.notifications.model import (
    DeliveryView,
    NotificationDetail,
    NotificationView,
    OwnDelivery,
    OwnDetail,
    OwnNotification,
    StoredDelivery,
    StoredEvent,
    StoredNotification,
    TimelineEntry,
    TimelineEvent,
)
from shared.channel_types import channel_type_named
from shared.outcomes import notification_status


def view_notification(notification: StoredNotification) -> NotificationView:
    """The notification as the API shows it."""
    return NotificationView(status=notification_status(notification.statuses), **_fields(notification))


def view_delivery(delivery: StoredDelivery) -> DeliveryView:
    """The delivery as the API shows it, with a redacted recipient."""
    redact = channel_type_named(delivery.channel_type).redact
    view = DeliveryView.model_validate(delivery)
    return view.model_copy(update={"recipient": redact(delivery.recipient) if delivery.recipient else None})


def view_detail(
    notification: StoredNotification, deliveries: list[StoredDelivery], events: list[StoredEvent]
) -> NotificationDetail:
    """The notification with its deliveries and its timeline."""
    return NotificationDetail(
        status=notification_status(notification.statuses),
        deliveries=[view_delivery(delivery) for delivery in deliveries],
        timeline=timeline(notification, deliveries, events),
        **_fields(notification),
    )


def view_own(notification: StoredNotification) -> OwnNotification:
    """The notification as its user sees it."""
    return OwnNotification.model_validate(view_notification(notification))


def view_own_detail(notification: StoredNotification, deliveries: Iterable[StoredDelivery]) -> OwnDetail:
    """The notification with its deliveries, as its user sees them."""
    shown = [OwnDelivery.model_validate(view_delivery(delivery)) for delivery in deliveries]
    return OwnDetail(**view_own(notification).model_dump(), deliveries=shown)


def timeline(
    notification: StoredNotification, deliveries: Iterable[StoredDelivery], events: Iterable[StoredEvent]
) -> list[TimelineEntry]:
    """What happened, sorted by time.

    ``accepted``; then for each delivery ``planned`` or ``suppressed``, ``published``, ``received`` by its function, the
    result (``sent``, ``attempt``, ``deferred``, ``failed`` …) with what the provider said, and ``recorded`` when the
    publisher stored the outcome; or ``canceled``.
    """
    entries = [_entry(notification.accepted_at, "accepted", None, producer=notification.producer)]
    by_id = {delivery.delivery_id: delivery for delivery in deliveries}
    events = list(events)
    reported = {event.delivery_id for event in events}
    for delivery in by_id.values():
        if delivery.status == "suppressed" and delivery.delivery_id not in reported:
            entries.append(_entry(notification.accepted_at, "suppressed", delivery, reason=delivery.reason))
        else:
            held_by = delivery.held_by
            entries.append(
                _entry(notification.accepted_at, "planned", delivery, due_at=delivery.due_at, reason=held_by)
            )
        if delivery.queued_at:
            entries.append(_entry(delivery.queued_at, "published", delivery))
    for event in events:
        entries += _entries_of(event, by_id[event.delivery_id])
    return sorted(entries, key=lambda entry: entry.at)


def _entries_of(event: StoredEvent, delivery: StoredDelivery) -> Iterable[TimelineEntry]:
    if event.received_at:
        yield _entry(event.received_at, "received", delivery, attempt=event.attempt)
    yield _entry(
        event.at,
        event.result,
        delivery,
        attempt=event.attempt,
        until=event.until,
        reason=event.reason,
        detail=event.detail,
        provider=event.provider,
        provider_message_id=event.provider_message_id,
        possible_duplicate=event.possible_duplicate or None,
    )
    if event.result != "canceled":  # by the publisher itself, which recorded it at once
        yield _entry(event.recorded_at, "recorded", delivery, result=event.result)


def _entry(at: datetime, event: TimelineEvent, delivery: StoredDelivery | None, **detail: Any) -> TimelineEntry:
    known = {name: value for name, value in detail.items() if value is not None}
    return TimelineEntry(
        at=at,
        event=event,
        channel=delivery.channel if delivery else None,
        channel_type=delivery.channel_type if delivery else None,
        delivery_id=delivery.delivery_id if delivery else None,
        detail=known or None,
    )


def _fields(notification: StoredNotification) -> dict[str, Any]:
    return {name: getattr(notification, name) for name in NotificationView.model_fields if name != "status"}
