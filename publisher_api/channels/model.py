"""A channel, as planning knows it and as the API takes and shows it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from publisher_api.fields import Name, UserId
from publisher_api.notifications.model import NotificationDetail
from shared.lanes import URGENT_PRIORITY
from shared.topology import CHANNEL_TYPES


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A configured channel. ``version`` is that of the channel switches at which it was last changed."""

    slug: str
    channel_type: str
    enabled: bool = True
    config: dict[str, Any] = msgspec.field(default_factory=dict)
    version: int = 0

    @property
    def urgent_priority(self) -> int:
        """From which priority on a notification does not wait for the end of quiet hours."""
        urgent: int = self.config.get("urgent_priority", URGENT_PRIORITY)
        return urgent

    def config_for(self, tenant: str | None) -> dict[str, Any]:
        """The config for a notification of ``tenant``: with this tenant's sender, and without those of others."""
        senders = self.config.get("tenant_senders")
        if senders is None:
            return self.config
        common = {name: value for name, value in self.config.items() if name != "tenant_senders"}
        own = senders.get(tenant)
        return common if own is None else {**common, "sender": own}


def _channel_type(name: str) -> str:
    if name not in CHANNEL_TYPES:
        raise ValueError(f"unknown channel type; known types: {', '.join(CHANNEL_TYPES)}")
    return name


ChannelTypeName = Annotated[str, Field(json_schema_extra={"enum": list(CHANNEL_TYPES)}), AfterValidator(_channel_type)]
Enabled = Annotated[bool, Field(strict=True)]
Config = Annotated[
    dict[str, Any],
    Field(
        max_length=50,
        description="What the channel's function gets with each message; never a credential."
        " `GET /v1/channel-configs` has the schema of each channel type.",
    ),
]


class ChannelFields(BaseModel):
    """A channel's type (fixed once the channel exists), switch, and configuration (kept when it is left out)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"channel_type": "webhook", "config": {"url": "https://chat.example.com/in"}}]},
    )

    channel_type: ChannelTypeName
    enabled: Enabled = True
    config: Config | None = None


class NewChannel(ChannelFields):
    """A channel to create. `channel` is its slug."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "channel": "ops",
                    "channel_type": "webhook",
                    "config": {"preset": "slack", "secret_ref": "WEBHOOK_SLACK_OPS"},
                }
            ]
        },
    )

    channel: Name


class ChannelChanges(BaseModel):
    """A JSON Merge Patch (RFC 7396) of a channel: in `config`, null deletes a field."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"config": {"urgent_priority": 800}}]})

    enabled: Enabled | None = None
    config: Config | None = None


class Toggle(BaseModel):
    """Whether the channel is to be on. Without `enabled` it becomes what it is not."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"enabled": False}]})

    enabled: Enabled | None = None


class ChannelView(BaseModel):
    """A channel. `channel` is its slug. `config` lacks what may be a credential: an older release stored those."""

    channel: str
    channel_type: str
    enabled: bool
    config: dict[str, Any]
    updated_at: datetime


class ChannelList(BaseModel):
    """All channels."""

    channels: list[ChannelView]


class RecipientView(BaseModel):
    """Who gets a preset's messages: `recipient` in the config, or `to` in the request."""

    description: str
    pattern: str


class PresetView(BaseModel):
    """A chat service that a webhook channel can name in `preset`. `secret` says what the value of `secret_ref` is."""

    preset: str
    title: str
    secret: str
    recipient: RecipientView | None
    documentation: list[str]


class ChannelConfigView(BaseModel):
    """What the config of a channel of this type may have: a JSON Schema, the names for `providers`, and the presets."""

    channel_type: str
    title: str
    address: str = Field(description="Where a delivery goes, if the request does not say it.")
    providers: list[str]
    config_schema: dict[str, Any]
    presets: list[PresetView]


class ChannelConfigList(BaseModel):
    """Every channel type, for forms."""

    channel_configs: list[ChannelConfigView]


class SendTest(BaseModel):
    """Who gets the test: `to`, else the address of `user_id`. A channel with a receiver of its own needs neither."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"to": "me@example.com"}]})

    user_id: UserId = "channel-test"
    to: Annotated[str, Field(min_length=1, max_length=2048)] | None = Field(
        default=None, description="An address of the channel's kind."
    )
    content: Annotated[dict[str, Any], Field(max_length=50)] | None = Field(
        default=None, description="Over the default content."
    )


class SendTestResult(BaseModel):
    """What is known of the test when it ended, or after the wait. It is a notification like any other.

    `finished`: no attempt follows any more. Otherwise the next attempts are in its timeline, at `look_at`.
    """

    notification_id: UUID
    finished: bool
    waited_seconds: float
    look_at: str
    notification: NotificationDetail
