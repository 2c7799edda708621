"""The rows that accepting writes and the outbox reads, as domain types."""

from datetime import datetime
from typing import Any

import msgspec

from shared.outcomes import Status


class NotificationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``notifications``.

    ``created_at`` is when the event happened, ``accepted_at`` when we accepted it (None in old rows,
    whose ``created_at`` is that time). ``inbox_at`` is when the notification is due in the live inbox; None if it is
    not meant for it. ``template_version`` and ``tenant_template_version`` are the versions that were rendered, of the
    template that all tenants share and of the tenant's own, in the language ``locale`` or what it falls back to.
    """

    notification_id: str
    producer: str
    user_id: str
    event_type: str
    actor_user_id: str | None
    tenant: str | None
    channels: list[str]
    payload: dict[str, Any]
    template_name: str | None
    dedup_key: str | None
    priority: int
    deliver_at: datetime | None
    traceparent: str | None
    created_at: datetime
    accepted_at: datetime | None
    inbox_at: datetime | None
    template_version: int | None = None
    tenant_template_version: int | None = None
    locale: str | None = None
    read_at: datetime | None = None
    archived_at: datetime | None = None


class DeliveryRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``deliveries``. ``held_by`` is why it is due later than the notification.

    ``sweep_at`` is when the sweeper may publish it, unless that has happened before; of what is due, it publishes the
    ``urgent`` ones first. ``deferrals`` is how often its function deferred it in this round. ``deferred_until``: it
    waits, or waited, until then, for its receiver or because of its channel's limit.
    """

    delivery_id: str
    notification_id: str
    channel_type: str = msgspec.field(name="kind")
    channel: str = msgspec.field(name="slug")
    round: int = 0
    deferrals: int = 0
    status: Status
    reason: str | None
    recipient: str | None
    content: dict[str, Any] | None
    due_at: datetime
    held_by: str | None = None
    expires_at: datetime
    sweep_at: datetime
    urgent: bool = False
    deferred_until: datetime | None = None
