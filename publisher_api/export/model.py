"""The document that an export is. Postgres writes it (``store.py``); these models describe it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from publisher_api.devices.model import Platform
from shared.outcomes import Status


class ExportedUser(BaseModel):
    """The user as stored."""

    email: str | None
    phone: str | None
    locale: str | None
    timezone: str | None
    attributes: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class ExportedDevice(BaseModel):
    """A device, with its registration token, which is an address."""

    device_id: UUID
    token: str
    platform: Platform
    created_at: datetime
    seen_at: datetime


class Exported(BaseModel):
    """A row. It has all columns; the most important ones are named here."""

    model_config = ConfigDict(extra="allow")


class ExportedEvent(Exported):
    """An attempt at a delivery, or how it ended."""

    result: str
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


class ExportedDelivery(Exported):
    """A delivery with its whole address, its content and its events."""

    delivery_id: UUID
    channel: str
    channel_type: str
    status: Status
    reason: str | None
    recipient: str | None
    content: dict[str, Any] | None
    due_at: datetime
    expires_at: datetime
    queued_at: datetime | None
    events: list[ExportedEvent]


class ExportedNotification(Exported):
    """A notification with its deliveries. `seen_at`, `read_at` and `archived_at` are its marks in the inbox."""

    notification_id: UUID
    producer: str
    event_type: str
    actor_user_id: str | None
    tenant: str | None
    channels: list[str]
    payload: dict[str, Any]
    template_name: str | None
    dedup_key: str | None
    priority: int
    deliver_at: datetime | None
    created_at: datetime
    accepted_at: datetime | None
    seen_at: datetime | None
    read_at: datetime | None
    archived_at: datetime | None
    deliveries: list[ExportedDelivery]


class UserExport(BaseModel):
    """Everything that is stored of a user, and nothing redacted."""

    user_id: str
    exported_at: datetime
    user: ExportedUser | None = Field(description="Null if only notifications or preferences are stored.")
    devices: list[ExportedDevice]
    preferences: dict[str, Any]
    tenant_preferences: dict[str, dict[str, Any]] = Field(description="By tenant.")
    notifications: list[ExportedNotification] = Field(description="The newest event first.")
