"""Channels at run time: a kind under another name with its own configuration, and the switch of each."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from publisher_api import recipients
from publisher_api.accept.request import Name
from publisher_api.errors import invalid
from publisher_api.services import Producer, Serving
from publisher_api.store import configuration, outbox
from publisher_api.store.rows import ConfiguredChannel
from shared.envelope import VERSION, Command
from shared.topology import CHANNEL_TYPES, TOPOLOGY

_CREDENTIALS = {"authorization", "cookie", "proxy-authorization", "x-api-key"}
# They say how a request is sent, and that is for who sends it.
_OF_THE_CONNECTION = {"connection", "content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade"}
router = APIRouter(prefix="/v1/channels", tags=["configuration"])


def _harmless(headers: dict[str, str]) -> dict[str, str]:
    for name in headers:
        if name.lower() in _OF_THE_CONNECTION:
            raise ValueError(f"{name} is for the connection, and cannot be set")
        if name.lower() in _CREDENTIALS:
            raise ValueError(f"{name} carries a credential, and none may be stored; let the signature prove who we are")
    return headers


# RFC 9110: a token, and visible characters.
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", max_length=256)]
HeaderValue = Annotated[str, Field(pattern=r"^[!-~]([\t -~]*[!-~])?$", max_length=4096)]


def _kind(kind: str) -> str:
    if kind not in CHANNEL_TYPES:
        raise ValueError(f"not a kind of channel; there are {', '.join(CHANNEL_TYPES)}")
    return kind


class ChannelConfig(BaseModel):
    """What a channel's function is told with each message. Never a credential: ``secret_ref`` names one."""

    model_config = ConfigDict(extra="forbid")

    providers: list[str] | None = None
    accept_duplicates: bool | None = None
    url: Annotated[str, AfterValidator(recipients.url)] | None = None
    method: Literal["POST", "PUT", "PATCH"] | None = None
    headers: Annotated[dict[HeaderName, HeaderValue], AfterValidator(_harmless)] | None = None
    secret_ref: Annotated[str, Field(pattern=r"^WEBHOOK_[A-Z0-9_]+$")] | None = None


# What only a webhook's function reads.
_OF_WEBHOOKS = frozenset({"url", "method", "headers", "secret_ref"})


def _check_config(kind: str, config: ChannelConfig) -> None:
    """Raises ``Problem`` for what the kind's function would not understand, or not heed."""
    known = TOPOLOGY[kind].providers
    for index, name in enumerate(config.providers or ()):
        if name not in known:
            raise invalid(f"config.providers.{index}", f"{kind} has no such provider; there are {', '.join(known)}")
    for field in sorted(_OF_WEBHOOKS & config.model_dump(exclude_none=True).keys()) if kind != "webhook" else ():
        raise invalid(f"config.{field}", f"is for channels of kind webhook, and this one is of kind {kind}")


class ChannelFields(BaseModel):
    """A channel's kind (fixed once it exists), switch, and configuration (kept as it is when it is left out)."""

    model_config = ConfigDict(extra="forbid")

    kind: Annotated[str, AfterValidator(_kind)]
    enabled: bool = True
    config: ChannelConfig | None = None


@router.get("")
def index(_producer: Producer, services: Serving) -> dict[str, Any]:
    """All channels."""
    with services.pool.connection() as connection:
        return {"channels": configuration.list_channels(connection)}


@router.put("/{slug}")
def put(slug: Name, fields: ChannelFields, _producer: Producer, services: Serving) -> dict[str, Any]:
    """Create a channel or change it. The functions hear of a switch within 15 seconds, for messages in flight too."""
    if fields.config is not None:
        _check_config(fields.kind, fields.config)
    now = services.clock()
    with services.pool.connection() as connection:
        version = configuration.lock_channels(connection)
        existing = {row["slug"]: row for row in configuration.list_channels(connection)}
        if slug in existing and existing[slug]["kind"] != fields.kind:
            kind = existing[slug]["kind"]
            raise invalid("kind", f"the channel {slug!r} is of kind {kind} and stays so; choose another slug")
        config = existing.get(slug, {}).get("config", {})
        if fields.config is not None:
            config = fields.config.model_dump(exclude_none=True)
        channel = ConfiguredChannel(slug=slug, kind=fields.kind, enabled=fields.enabled, config=config, version=version)
        configuration.put_channel(connection, channel)
        switches = {name: row["enabled"] for name, row in existing.items()} | {slug: fields.enabled}
        command = Command(v=VERSION, command="channels", at=now, channels=switches, version=version)
        outbox.add_command(connection, services.new_id(), command, now)
    services.catalog.drop()
    services.desk.commands_waiting()
    return {"slug": slug, "kind": fields.kind, "enabled": fields.enabled, "config": config}
