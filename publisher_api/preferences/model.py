"""Preferences, as planning knows them and as the API takes and shows them."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from publisher_api.fields import Name
from publisher_api.preferences.quiet_hours import QuietHours, QuietHoursFields

MAX_TENANTS = 50
"""Within which one user has choices. Users write them with tokens of their own."""
_MAX_LINES = 200


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """True and False are a choice; what is None or absent is none. ``channels`` are slugs."""

    enabled: bool | None = None
    channels: dict[str, bool] = msgspec.field(default_factory=dict)
    channel_types: dict[str, bool] = msgspec.field(default_factory=dict)


class Preferences(Choices, frozen=True, kw_only=True):
    """The choices for everything, and those for some categories and event types. ``quiet_hours``: None is no choice."""

    quiet_hours: QuietHours | None = None
    categories: dict[str, Choices] = msgspec.field(default_factory=dict)
    event_types: dict[str, Choices] = msgspec.field(default_factory=dict)


Switch = Annotated[bool, Field(strict=True)]
_LINES = Field(max_length=_MAX_LINES, json_schema_extra={"additionalProperties": False})
Switches = Annotated[dict[Name, Switch | None], _LINES]


class ChoiceFields(BaseModel):
    """The switch of everything here, and those of channels and channel types. Null is no choice."""

    model_config = ConfigDict(extra="forbid")

    enabled: Switch | None = None
    channels: Switches | None = Field(default=None, description="By slug.")
    channel_types: Switches | None = None


class PreferenceFields(ChoiceFields):
    """What is wanted. The most specific line decides: event type before category before all; in each, channel before
    channel type before `enabled`. What no line decides is wanted.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "channel_types": {"sms": False},
                    "categories": {"marketing": {"enabled": False, "channel_types": {"inapp": True}}},
                    "event_types": {"payment": {"channels": {"email": True}}},
                    "quiet_hours": {"windows": [{"start": "22:00", "end": "07:00"}]},
                }
            ]
        },
    )

    categories: Annotated[dict[Name, ChoiceFields | None], _LINES] | None = None
    event_types: Annotated[dict[Name, ChoiceFields | None], _LINES] | None = None
    quiet_hours: QuietHoursFields | None = None


class PreferenceView(BaseModel):
    """The choices that were made."""

    preferences: dict[str, Any]


class ChannelExplanation(BaseModel):
    """Whether a channel would be used, the line that decides it (null if none does), and whether it would wait now."""

    channel: str
    channel_type: str
    wanted: bool
    decided_by: str | None = Field(
        description="Whose line: `mandatory`, `tenant` (the user's within it), `user` or `environment`."
    )
    line: str | None = Field(description="Its path, like `categories.marketing.channel_types.sms`.")
    quiet_until: datetime | None = Field(
        description="The end of the user's quiet hours, if they hold now. What is sent on this channel waits until "
        "then, unless it is urgent."
    )


class Explanation(BaseModel):
    """For each configured channel, what the preferences say about an event type."""

    user_id: str
    event_type: str
    category: str | None
    channels: list[ChannelExplanation]
