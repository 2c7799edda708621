"""A channel, as planning knows it and as the API takes and shows it."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from publisher_api import addresses
from shared.topology import CHANNEL_TYPES

_CREDENTIALS = {"authorization", "cookie", "proxy-authorization", "x-api-key"}
# Headers that describe the connection. The sender of the request sets them.
_CONNECTION_HEADERS = {"connection", "content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade"}


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A configured channel. ``version`` is that of the channel switches at which it was last changed."""

    slug: str
    channel_type: str
    enabled: bool = True
    config: dict[str, Any] = msgspec.field(default_factory=dict)
    version: int = 0


def _allowed_headers(headers: dict[str, str]) -> dict[str, str]:
    for name in headers:
        if name.lower() in _CONNECTION_HEADERS:
            raise ValueError(f"{name} describes the connection and cannot be set")
        if name.lower() in _CREDENTIALS:
            raise ValueError(f"{name} carries a credential, which is never stored; receivers check the signature")
    return headers


def _channel_type(name: str) -> str:
    if name not in CHANNEL_TYPES:
        raise ValueError(f"unknown channel type; known types: {', '.join(CHANNEL_TYPES)}")
    return name


# RFC 9110: a token, and visible characters.
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", max_length=256)]
HeaderValue = Annotated[str, Field(pattern=r"^[!-~]([\t -~]*[!-~])?$", max_length=4096)]
ChannelTypeName = Annotated[str, Field(json_schema_extra={"enum": list(CHANNEL_TYPES)}), AfterValidator(_channel_type)]


class ChannelConfig(BaseModel):
    """What the channel's function gets with each message. Never a credential: `secret_ref` names one."""

    model_config = ConfigDict(extra="forbid")

    providers: list[str] | None = Field(default=None, description="Providers of the channel type, in this order.")
    accept_duplicates: Annotated[bool, Field(strict=True)] | None = Field(
        default=None, description="Try the next provider also when the last one may have sent the message."
    )
    url: Annotated[str, AfterValidator(addresses.url)] | None = None
    method: Literal["POST", "PUT", "PATCH"] | None = None
    headers: Annotated[dict[HeaderName, HeaderValue], AfterValidator(_allowed_headers)] | None = None
    secret_ref: Annotated[str, Field(pattern=r"^WEBHOOK_[A-Z0-9_]+$")] | None = None


class ChannelFields(BaseModel):
    """A channel's type (fixed once the channel exists), switch, and configuration (kept when it is left out)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"channel_type": "webhook", "config": {"url": "https://chat.example.com/in"}}]},
    )

    channel_type: ChannelTypeName
    enabled: Annotated[bool, Field(strict=True)] = True
    config: ChannelConfig | None = None


class ChannelView(BaseModel):
    """A channel as it is stored. `channel` is its slug."""

    channel: str
    channel_type: str
    enabled: bool
    config: dict[str, Any]
    updated_at: datetime


class ChannelList(BaseModel):
    """All channels."""

    channels: list[ChannelView]
