"""What a producer may ask for: the canonical envelope as the public API accepts it."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from publisher_api.fields import MAX_CHANNELS, Channels, Key, Locale, Name, Time, UserId, Version
from shared.lanes import URGENT_PRIORITY


class NotificationRequest(BaseModel):
    """One notification for one user."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"user_id": "u1", "event_type": "payment", "channels": ["inapp"], "payload": {"amount": 10}}]
        },
    )

    user_id: UserId
    event_type: Name
    channels: Annotated[Channels, Field(min_length=1)] = Field(
        default_factory=list, description="The channels' slugs, each once. Default: those of the event type."
    )
    payload: dict[str, Any] = Field(description="The event's data: the variables of templates.")
    notification_id: UUID | None = Field(
        default=None, description="Becomes the notification's id. The same id again answers the same notification."
    )
    created_at: Time | None = Field(
        default=None, description="When the event happened; default: now. Not in the future, at most 366 days ago."
    )
    actor_user_id: UserId | None = Field(default=None, description="Who caused the event.")
    tenant: Name | None = Field(
        default=None,
        description="For which of your customers. The user's preferences within it come first, and its templates.",
    )
    template_name: Name | None = Field(default=None, description="Default: that of the event type.")
    template_version: Version | None = Field(
        default=None, description="The published version or one of the five newest. Default: the published one."
    )
    locale: Locale | None = Field(
        default=None, description="The language of the template's texts, like pt-BR. Default: that of the user."
    )
    dedup_key: Key | None = Field(
        default=None, description="The same key again within 24 hours answers the first notification."
    )
    priority: Annotated[int, Field(ge=0, le=1000, strict=True)] = Field(
        default=100, description=f"From {URGENT_PRIORITY} on it is urgent: it never waits behind what is not."
    )
    deliver_at: Time | None = Field(default=None, description="When to send; at most 366 days ahead.")
    expires_at: Time | None = Field(
        default=None, description="When sending is no longer useful. Default: by the event type and the channel."
    )
    to: dict[str, str] = Field(
        default_factory=dict, max_length=MAX_CHANNELS, description="Addresses by channel, in place of the user's own."
    )
    content: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        max_length=MAX_CHANNELS,
        description="Content by channel, over the template's or the default content.",
    )

    @property
    def has_key(self) -> bool:
        """Whether the request names a key of its own by which it may be a repetition."""
        return self.dedup_key is not None or self.notification_id is not None
