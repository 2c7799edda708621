"""The rows that accepting writes and relaying reads, and the message they make together."""

from datetime import datetime
from typing import Any

import msgspec

from shared.envelope import VERSION, Delivery
from shared.outcomes import Status


class NotificationRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``notifications``. ``inbox_at`` is when it is due in the live inbox, if it is meant for it."""

    notification_id: str
    producer: str
    user_id: str
    event_type: str
    actor_user_id: str | None
    channels: list[str]
    payload: dict[str, Any]
    template_name: str | None
    dedup_key: str | None
    priority: int
    deliver_at: datetime | None
    traceparent: str | None
    created_at: datetime
    inbox_at: datetime | None
    read_at: datetime | None = None


class DeliveryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``deliveries``. ``sweep_at`` is when the sweep may publish it, should nobody have done so before."""

    delivery_id: str
    notification_id: str
    kind: str
    slug: str
    round: int = 0
    status: Status
    reason: str | None
    recipient: str | None
    content: dict[str, Any] | None
    due_at: datetime
    expires_at: datetime
    sweep_at: datetime


class ConfiguredChannel(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``channels``: a kind under a name of its own, with its configuration and its switch.

    ``version`` is the switchboard's at which the row was last changed.
    """

    slug: str
    kind: str
    enabled: bool = True
    config: dict[str, Any] = msgspec.field(default_factory=dict)
    version: int = 0


def envelope_of(notification: NotificationRow, delivery: DeliveryRow, channel: ConfiguredChannel) -> Delivery:
    """The message for a delivery that has a recipient."""
    return Delivery(
        v=VERSION,
        notification_id=notification.notification_id,
        event_type=notification.event_type,
        user_id=notification.user_id,
        channels=notification.channels,
        payload=notification.payload,
        created_at=notification.created_at,
        actor_user_id=notification.actor_user_id,
        template_name=notification.template_name,
        dedup_key=notification.dedup_key,
        priority=notification.priority,
        delivery_id=delivery.delivery_id,
        channel_type=delivery.kind,
        channel=delivery.slug,
        round=delivery.round,
        recipient=delivery.recipient or "",
        content=delivery.content or {},
        config=channel.config,
        expires_at=delivery.expires_at,
        traceparent=notification.traceparent,
        switched_on=channel.version if channel.enabled else 0,
        read_at=notification.read_at,
    )
