"""The use cases of channels."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from postgres.pool import Pool
from publisher_api.audit.service import record
from publisher_api.channels import store
from publisher_api.channels.credentials import check_credentials, shown_config
from publisher_api.channels.model import Channel, ChannelConfig, ChannelFields, ChannelList, ChannelView
from publisher_api.db.config_cache import ConfigCache
from publisher_api.outbox.commands import add_command
from publisher_api.principal import Principal
from publisher_api.refusal import invalid
from shared.envelope import VERSION, Command
from shared.topology import TOPOLOGY

# Fields that only the webhook function reads.
_WEBHOOK_FIELDS = frozenset({"url", "url_secret_ref", "method", "headers", "header_secret_refs", "secret_ref"})


# Each change sends the switches of all channels to every function in one message.
MAX_CHANNELS = 500


@dataclass(frozen=True, slots=True)
class Channels:
    """Lists and changes channels. A change of a switch reaches the functions as a command.

    ``new_id`` gives ids of commands; ``publish_soon`` is called when a command is committed.
    """

    pool: Pool
    cache: ConfigCache
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    publish_soon: Callable[[], None]

    def list(self) -> ChannelList:
        with self.pool.connection() as connection:
            return ChannelList(channels=[shown(view) for view in store.list_channels(connection)])

    def put(self, slug: str, fields: ChannelFields, caller: Principal) -> ChannelView:
        """Create or change a channel, and send the switches of all channels to the functions. Raises ``Refusal``."""
        if fields.config is not None:
            check_config(fields.channel_type, fields.config)
        now = self.clock()
        with self.pool.connection() as connection:
            version = store.lock_channels(connection)
            existing = {view.channel: view for view in store.list_channels(connection)}
            if slug not in existing and len(existing) >= MAX_CHANNELS:
                raise invalid("channel", f"{MAX_CHANNELS} channels exist, which is the most; change one of them")
            channel = changed(slug, fields, existing.get(slug), version)
            view = store.put_channel(connection, channel)
            before = _recorded(existing[slug]) if slug in existing else None
            record(connection, caller, "channel.put", f"channels/{slug}", before=before, after=_recorded(view))
            switches = {name: other.enabled for name, other in existing.items()} | {slug: channel.enabled}
            command = Command(v=VERSION, command="channels", at=now, channels=switches, version=version)
            add_command(connection, self.new_id(), command, now)
        self.cache.drop()
        self.publish_soon()
        return shown(view)


def shown(view: ChannelView) -> ChannelView:
    """``view`` as the API shows it."""
    return view.model_copy(update={"config": shown_config(view.config)})


def _recorded(view: ChannelView) -> dict[str, Any]:
    return shown(view).model_dump(include={"channel_type", "enabled", "config"})


def changed(slug: str, fields: ChannelFields, before: Channel | ChannelView | None, version: int) -> Channel:
    """The channel after the change. Raises ``Refusal`` if the change would give it another type."""
    if before is not None and before.channel_type != fields.channel_type:
        message = f"the channel {slug!r} has the type {before.channel_type}, which cannot change; use another slug"
        raise invalid("channel_type", message)
    config = before.config if before is not None else {}
    if fields.config is not None:
        config = fields.config.model_dump(exclude_none=True)
    return Channel(slug=slug, channel_type=fields.channel_type, enabled=fields.enabled, config=config, version=version)


def check_config(channel_type: str, config: ChannelConfig) -> None:
    """Raises ``Refusal`` for what the function of this channel type would not understand or not use."""
    known = TOPOLOGY[channel_type].providers
    for index, name in enumerate(config.providers or ()):
        if name not in known:
            message = f"{channel_type} has no such provider; its providers are {', '.join(known)}"
            raise invalid(f"config.providers.{index}", message)
    if channel_type != "webhook":
        for field in sorted(_WEBHOOK_FIELDS & config.model_dump(exclude_none=True).keys()):
            raise invalid(f"config.{field}", f"is for channels of type webhook; this one has the type {channel_type}")
    check_credentials(config)
