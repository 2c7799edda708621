"""A channel, as planning knows it and as the API takes and shows it."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from publisher_api import addresses
from shared.topology import CHANNEL_TYPES
from shared.webhook_secrets import MASTER_SECRET, PLACEHOLDER

PLAIN_HEADERS = frozenset(
    {"accept", "accept-language", "cache-control", "content-language", "prefer", "x-environment", "x-source"}
)
"""Headers that hold no credential. Any other header might, whatever its name."""
# Headers that describe the connection or belong to the signed request. The webhook function sets them.
_OUR_HEADERS = {"connection", "content-length", "content-type", "expect", "host", "te", "trailer", "transfer-encoding"}
_OUR_HEADERS |= {"upgrade", "user-agent", "webhook-id", "webhook-signature", "webhook-timestamp"}


URGENT_PRIORITY = 500
"""The priority from which a notification is urgent."""


_MAX_HEADERS = 20


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


def _plain_headers(headers: dict[str, str]) -> dict[str, str]:
    for name in headers:
        if name.lower() not in PLAIN_HEADERS:
            known = ", ".join(sorted(PLAIN_HEADERS))
            raise ValueError(f"{name} may hold a credential; name it in header_secret_refs. Plain headers are {known}")
    return headers


def _settable_headers(names: dict[str, str]) -> dict[str, str]:
    for name in names:
        if name.lower() in _OUR_HEADERS:
            raise ValueError(f"{name} is set by the webhook function and cannot be changed")
    return names


def _not_the_master_secret(name: str) -> str:
    if name == MASTER_SECRET:
        raise ValueError(f"{MASTER_SECRET} is the secret from which every receiver's secret is derived; name another")
    return name


def _channel_type(name: str) -> str:
    if name not in CHANNEL_TYPES:
        raise ValueError(f"unknown channel type; known types: {', '.join(CHANNEL_TYPES)}")
    return name


# RFC 9110: a token, and visible characters.
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", max_length=256)]
HeaderValue = Annotated[str, Field(pattern=r"^[!-~]([\t -~]*[!-~])?$", max_length=4096)]
SecretName = Annotated[
    str, Field(pattern=r"^WEBHOOK_[A-Z0-9_]+$", max_length=128), AfterValidator(_not_the_master_secret)
]
ChannelTypeName = Annotated[str, Field(json_schema_extra={"enum": list(CHANNEL_TYPES)}), AfterValidator(_channel_type)]


class ChannelConfig(BaseModel):
    """What the channel's function gets with each message. Never a credential: the fields `…secret_ref…` name one."""

    model_config = ConfigDict(extra="forbid")

    providers: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=10)] | None = Field(
        default=None, description="Providers of the channel type, in this order."
    )
    accept_duplicates: Annotated[bool, Field(strict=True)] | None = Field(
        default=None, description="Try the next provider also when the last one may have sent the message."
    )
    url: Annotated[str, AfterValidator(addresses.url)] | None = Field(
        default=None, description=f"Where to send. `{PLACEHOLDER}` in path or query stands for `url_secret_ref`."
    )
    url_secret_ref: SecretName | None = Field(default=None, description="The secret that is part of `url`.")
    method: Literal["POST", "PUT", "PATCH"] | None = None
    headers: (
        Annotated[dict[HeaderName, HeaderValue], Field(max_length=_MAX_HEADERS), AfterValidator(_plain_headers)] | None
    ) = None
    header_secret_refs: (
        Annotated[dict[HeaderName, SecretName], Field(max_length=_MAX_HEADERS), AfterValidator(_settable_headers)]
        | None
    ) = Field(default=None, description="Headers whose values are secrets: the header's name and the secret's name.")
    secret_ref: SecretName | None = Field(default=None, description="The secret that signs the requests.")


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
    """A channel. `channel` is its slug. `config` lacks what may be a credential: an older release stored those."""

    channel: str
    channel_type: str
    enabled: bool
    config: dict[str, Any]
    updated_at: datetime


class ChannelList(BaseModel):
    """All channels."""

    channels: list[ChannelView]
