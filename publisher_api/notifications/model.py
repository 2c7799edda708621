"""What reading a notification returns: domain types from the store, and the API's response models."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.outcomes import NotificationStatus, Result, Status
from shared.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredNotification:
    """A notification as it is stored, with the statuses of its deliveries."""

    notification_id: UUID
    producer: str
    user_id: str
    event_type: str
    actor_user_id: str | None
    tenant: str | None
    channels: list[str]
    payload: dict[str, Any]
    template_name: str | None
    template_version: int | None
    tenant_template_version: int | None
    locale: str | None
    dedup_key: str | None
    priority: int
    deliver_at: datetime | None
    created_at: datetime
    accepted_at: datetime
    seen_at: datetime | None
    read_at: datetime | None
    archived_at: datetime | None
    statuses: list[Status]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDelivery:
    """A delivery as it is stored, without its content."""

    delivery_id: UUID
    channel: str
    channel_type: str
    round: int
    status: Status
    reason: str | None
    recipient: str | None
    due_at: datetime
    held_by: str | None
    expires_at: datetime
    queued_at: datetime | None
    deferred_until: datetime | None
    provider: str | None
    provider_message_id: str | None
    possible_duplicate: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An outcome as it was recorded, or the end that the producer caused."""

    delivery_id: UUID
    result: Result | Literal["canceled"]
    at: datetime
    received_at: datetime | None
    recorded_at: datetime
    attempt: int | None
    until: datetime | None
    reason: str | None
    detail: str | None
    provider: str | None
    provider_message_id: str | None
    possible_duplicate: bool


class NotificationView(BaseModel):
    """A notification, with the status that follows from its deliveries."""

    model_config = ConfigDict(from_attributes=True)

    notification_id: UUID
    status: NotificationStatus = Field(
        description="queued while any delivery is open; then delivered if any was sent, canceled if all were, or failed"
    )
    producer: str
    user_id: str
    event_type: str
    actor_user_id: str | None
    tenant: str | None
    channels: list[str]
    payload: dict[str, Any]
    template_name: str | None
    template_version: int | None = Field(
        description="The version that was rendered, of the template that all tenants share."
    )
    tenant_template_version: int | None = Field(
        description="The version that was rendered, of the tenant's own template."
    )
    locale: str | None = Field(description="The language that the template was asked for.")
    dedup_key: str | None
    priority: int
    deliver_at: datetime | None
    created_at: datetime
    accepted_at: datetime
    seen_at: datetime | None
    read_at: datetime | None
    archived_at: datetime | None


_REASONS = "Why it was suppressed, failed or will be repeated. " + " ".join(
    f"`{reason.value}`: {reason.description}" for reason in Reason
)


class DeliveryView(BaseModel):
    """A delivery. `recipient` is redacted: enough to recognise it, too little to send to it."""

    model_config = ConfigDict(from_attributes=True)

    delivery_id: UUID
    channel: str = Field(description="The channel's slug.")
    channel_type: str
    round: int = Field(description="Grows by one with each replay.")
    status: Status
    reason: str | None = Field(description=_REASONS)
    recipient: str | None
    due_at: datetime
    held_by: str | None = Field(description="Why it is due later than the notification: `quiet_hours`, `legal_hours`.")
    expires_at: datetime
    queued_at: datetime | None
    deferred_until: datetime | None = Field(
        description="It waits, or waited, until this time: its receiver failed, or its channel's limit was reached."
    )
    provider: str | None
    provider_message_id: str | None
    possible_duplicate: bool = Field(description="An earlier attempt may have reached the user as well.")
    updated_at: datetime


TimelineEvent = Result | Literal["canceled", "accepted", "planned", "published", "received", "recorded"]


class TimelineEntry(BaseModel):
    """One event. The members of `detail` depend on the event."""

    at: datetime
    event: TimelineEvent
    channel: str | None = Field(default=None, description="The channel's slug; absent for the notification itself.")
    channel_type: str | None = None
    delivery_id: UUID | None = None
    detail: dict[str, Any] | None = None


class NotificationDetail(NotificationView):
    """A notification with its deliveries, and the timeline that explains them."""

    deliveries: list[DeliveryView]
    timeline: list[TimelineEntry]


class OwnNotification(BaseModel):
    """A notification as its user sees it: not who sent it, nor what the producer keeps of it."""

    model_config = ConfigDict(from_attributes=True)

    notification_id: UUID
    status: NotificationStatus
    event_type: str
    tenant: str | None
    actor_user_id: str | None
    created_at: datetime
    seen_at: datetime | None
    read_at: datetime | None
    archived_at: datetime | None


class OwnDelivery(BaseModel):
    """Where it was sent. `recipient` is redacted."""

    model_config = ConfigDict(from_attributes=True)

    channel: str
    channel_type: str
    status: Status
    reason: str | None = Field(description=_REASONS)
    recipient: str | None
    updated_at: datetime


class OwnDetail(OwnNotification):
    """A notification as its user sees it, with its deliveries."""

    deliveries: list[OwnDelivery]


class OwnPage(BaseModel):
    """A page of a user's own notifications. `next` leads to the next page; null on the last."""

    notifications: list[OwnNotification]
    next: UUID | None


class NotificationPage(BaseModel):
    """A page of a user's notifications. `next_cursor` leads to the next page; null on the last."""

    notifications: list[NotificationView]
    next_cursor: UUID | None
