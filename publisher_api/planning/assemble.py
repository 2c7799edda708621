"""Step 6, assemble: the rows to store."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from publisher_api.notifications.records import DeliveryRecord, NotificationRecord
from publisher_api.notifications.request import NotificationRequest
from publisher_api.planning.allow import Target
from publisher_api.planning.compose import Composed
from publisher_api.planning.hold import Hold
from publisher_api.planning.schedule import Schedule
from publisher_api.planning.variants import ChosenTemplate
from shared.addresses import AddressKind
from shared.channel_types import channel_type_named
from shared.lanes import is_urgent
from shared.reasons import Reason

# How long the relay may take to publish what was just accepted before the sweeper does.
RELAY_GRACE = timedelta(seconds=15)


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a notification comes from, beside the request itself."""

    notification_id: str
    producer: str
    accepted_at: datetime
    traceparent: str | None


def assemble_deliveries(
    request: NotificationRequest,
    origin: Origin,
    targets: Sequence[tuple[Target, Composed, Hold | None]],
    schedule: Schedule,
    new_id: Callable[[], str],
) -> list[DeliveryRecord]:
    """A delivery for each target."""
    return [
        _delivery(request, origin, target, composed, hold, schedule, new_id()) for target, composed, hold in targets
    ]


def _delivery(
    request: NotificationRequest,
    origin: Origin,
    target: Target,
    composed: Composed,
    hold: Hold | None,
    schedule: Schedule,
    delivery_id: str,
) -> DeliveryRecord:
    due_at = hold.until if hold is not None else schedule.due_at
    scheduled = due_at > origin.accepted_at
    return DeliveryRecord(
        delivery_id=delivery_id,
        notification_id=origin.notification_id,
        channel_type=target.channel.channel_type,
        channel=target.channel.slug,
        status="suppressed" if target.reason else "pending",
        reason=target.reason or (_reason_to_wait(target) if scheduled else None),
        recipient=target.address,
        content=composed.content,
        due_at=due_at,
        held_by=hold.reason if hold is not None else None,
        expires_at=schedule.expiry_on(target.channel.channel_type, due_at),
        sweep_at=due_at if scheduled else origin.accepted_at + RELAY_GRACE,
        urgent=is_urgent(request.priority),
    )


def _reason_to_wait(target: Target) -> Reason | None:
    if target.given:
        return None
    match channel_type_named(target.channel.channel_type).address:
        case AddressKind.EMAIL | AddressKind.PHONE | AddressKind.DEVICE_TOKEN:
            return Reason.ADDRESS_WHEN_DUE  # it may change until then
        case AddressKind.URL | AddressKind.USER_ID:
            return None


def assemble_notification(
    request: NotificationRequest,
    template: ChosenTemplate | None,
    origin: Origin,
    schedule: Schedule,
    deliveries: Sequence[DeliveryRecord],
) -> NotificationRecord:
    """The notification's own row."""
    own, shared = (template.own, template.shared) if template is not None else (None, None)
    in_inbox = any(delivery.channel_type == "inapp" and delivery.status == "pending" for delivery in deliveries)
    return NotificationRecord(
        notification_id=origin.notification_id,
        producer=origin.producer,
        user_id=request.user_id,
        event_type=request.event_type,
        actor_user_id=request.actor_user_id,
        tenant=request.tenant,
        channels=request.channels,
        payload=request.payload,
        template_name=request.template_name,
        template_version=shared.version if shared is not None else None,
        tenant_template_version=own.version if own is not None else None,
        locale=template.locale if template is not None else None,
        dedup_key=request.dedup_key,
        priority=request.priority,
        deliver_at=request.deliver_at,
        traceparent=origin.traceparent,
        created_at=schedule.created_at,
        accepted_at=origin.accepted_at,
        inbox_at=schedule.due_at if in_inbox else None,
    )
