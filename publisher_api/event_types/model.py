"""An event type, as planning knows it and as the API takes and shows it."""

from datetime import datetime, timedelta
from typing import Annotated, Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field, model_validator

from publisher_api.fields import Channels, Days, Name

_MAX_SECONDS = 366 * 86_400


class EventType(msgspec.Struct, frozen=True, kw_only=True):
    """A declared event type. What is None or empty says nothing."""

    event_type: str
    version: int
    category: str | None = None
    mandatory: bool = False
    commercial: bool = False
    template_name: str | None = None
    channels: list[str] = msgspec.field(default_factory=list)
    time_to_live_seconds: int | None = None
    retention_days: int | None = None

    @property
    def time_to_live(self) -> timedelta | None:
        """How long a delivery is useful after it is due."""
        return timedelta(seconds=self.time_to_live_seconds) if self.time_to_live_seconds is not None else None


class EventTypeFields(BaseModel):
    """What follows from an event of this type. PUT replaces everything."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"category": "billing", "channels": ["email", "inapp"], "time_to_live_seconds": 86_400}]
        },
    )

    category: Name | None = Field(default=None, description="Groups event types, for the preferences of users.")
    mandatory: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="No preference can mute it. For security, and for what the law demands."
    )
    commercial: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Advertising: it also waits for the hours that the law of the country allows."
    )
    template_name: Name | None = Field(default=None, description="The template of requests that name none.")
    channels: Channels = Field(default_factory=list, description="The channels of requests that name none.")
    time_to_live_seconds: Annotated[int, Field(ge=1, le=_MAX_SECONDS, strict=True)] | None = Field(
        default=None, description="When sending is no longer useful, unless the request has `expires_at`."
    )
    retention_days: Days | None = Field(
        default=None,
        description="How long its notifications are kept. Default: see `PUT /v1/retention`. Changing it needs `admin`.",
    )

    @model_validator(mode="after")
    def _mandatory_or_commercial(self) -> Self:
        if self.mandatory and self.commercial:
            raise ValueError("what is commercial cannot be mandatory: people may always refuse advertising")
        return self


class EventTypeView(EventTypeFields):
    """An event type as it is stored. `version` grows by one with each change."""

    event_type: str
    version: int
    updated_at: datetime


class EventTypePage(BaseModel):
    """Declared event types, by name. `next` is the `after` of the page that follows; null on the last page."""

    event_types: list[EventTypeView]
    next: str | None


class EventTypeVersions(BaseModel):
    """Declarations of one event type. `next` is the `before` of the page that follows; null on the last page."""

    event_types: list[EventTypeView]
    next: int | None
