"""The use cases of channels."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from postgres.pool import Connected, Pool
from publisher_api.audit.service import record
from publisher_api.channels import store
from publisher_api.channels.configs import CONFIGS, ProvidersConfig, WebhookConfig
from publisher_api.channels.credentials import check_credentials, shown_config
from publisher_api.channels.model import (
    Channel,
    ChannelChanges,
    ChannelFields,
    ChannelList,
    ChannelView,
    NewChannel,
)
from publisher_api.db.config_cache import ConfigCache
from publisher_api.event_types.service import event_types_with_channel
from publisher_api.merge_patch import merged
from publisher_api.outbox.commands import add_command
from publisher_api.principal import Principal
from publisher_api.refusal import Refusal, RefusalCode, invalid, not_found
from publisher_api.validation import refusal_of
from shared.envelope import VERSION, Command
from shared.topology import CHANNEL_TYPES, TOPOLOGY

_SHOWN_EVENT_TYPES = 20
# Each change sends the switches of all channels to every function in one message.
_MOST_CHANNELS = 500


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

    def get(self, slug: str) -> ChannelView:
        """The channel. Raises ``Refusal``."""
        with self.pool.connection() as connection:
            return shown(_existing(slug, _by_slug(connection)))

    def put(self, slug: str, fields: ChannelFields, caller: Principal) -> ChannelView:
        """Create or change a channel. Raises ``Refusal``."""
        return self._store(slug, caller, lambda before, version: changed(slug, fields, before.get(slug), version))

    def create(self, fields: NewChannel, caller: Principal) -> ChannelView:
        """Create a channel. Raises ``Refusal``, also if there is one with this slug."""

        def new(before: Mapping[str, ChannelView], version: int) -> Channel:
            if fields.channel in before:
                remedy = f"Change it with PATCH /v1/channels/{fields.channel}, or choose another slug."
                raise Refusal(RefusalCode.ALREADY_EXISTS, f"The channel {fields.channel!r} exists already. {remedy}")
            return changed(fields.channel, fields, None, version)

        return self._store(fields.channel, caller, new)

    def patch(self, slug: str, changes: ChannelChanges, caller: Principal) -> ChannelView:
        """Change what ``changes`` has. Raises ``Refusal``."""
        return self._store(slug, caller, lambda before, version: patched(_existing(slug, before), changes, version))

    def toggle(self, slug: str, caller: Principal, *, enabled: bool | None) -> ChannelView:
        """Switch the channel on or off, or to what it is not if ``enabled`` is None. Raises ``Refusal``."""

        def switched(before: Mapping[str, ChannelView], version: int) -> Channel:
            channel = _existing(slug, before)
            on = not channel.enabled if enabled is None else enabled
            return patched(channel, ChannelChanges(enabled=on), version)

        return self._store(slug, caller, switched)

    def delete(self, slug: str, caller: Principal) -> None:
        """Delete a channel. Raises ``Refusal``, also if it is the first of its type or an event type names it."""
        with self.pool.connection() as connection:
            version = store.lock_channels(connection)
            before = _by_slug(connection)
            deleted = _existing(slug, before)
            _check_deletable(slug, event_types_with_channel(connection, slug))
            store.delete_channel(connection, slug)
            record(connection, caller, "channel.delete", f"channels/{slug}", before=_recorded(deleted))
            self._send_switches(connection, [view for view in before.values() if view.channel != slug], version)
        self.cache.drop()
        self.publish_soon()

    def _store(
        self, slug: str, caller: Principal, change: Callable[[Mapping[str, ChannelView], int], Channel]
    ) -> ChannelView:
        """Store what ``change`` makes of the channels, and send the switches of all channels to the functions."""
        with self.pool.connection() as connection:
            version = store.lock_channels(connection)
            before = _by_slug(connection)
            if slug not in before and len(before) >= _MOST_CHANNELS:
                raise invalid("channel", f"{_MOST_CHANNELS} channels exist, which is the most; change one of them")
            view = store.put_channel(connection, change(before, version))
            old = _recorded(before[slug]) if slug in before else None
            record(connection, caller, "channel.put", f"channels/{slug}", before=old, after=_recorded(view))
            self._send_switches(connection, (before | {slug: view}).values(), version)
        self.cache.drop()
        self.publish_soon()
        return shown(view)

    def _send_switches(self, connection: Connected, views: Iterable[ChannelView], version: int) -> None:
        now = self.clock()
        switches = {view.channel: view.enabled for view in views}
        command = Command(v=VERSION, command="channels", at=now, channels=switches, version=version)
        add_command(connection, self.new_id(), command, now)


def shown(view: ChannelView) -> ChannelView:
    """``view`` as the API shows it."""
    return view.model_copy(update={"config": shown_config(view.config)})


def _recorded(view: ChannelView) -> dict[str, Any]:
    return shown(view).model_dump(include={"channel_type", "enabled", "config"})


def changed(slug: str, fields: ChannelFields, before: Channel | ChannelView | None, version: int) -> Channel:
    """The channel after PUT or POST. Raises ``Refusal`` for a config that its function could not use.

    Also if the change would give the channel another type.
    """
    if before is not None and before.channel_type != fields.channel_type:
        message = f"the channel {slug!r} has the type {before.channel_type}, which cannot change; use another slug"
        raise invalid("channel_type", message)
    config = before.config if before is not None else {}
    if fields.config is not None:
        config = checked_config(fields.channel_type, fields.config)
    return Channel(slug=slug, channel_type=fields.channel_type, enabled=fields.enabled, config=config, version=version)


def patched(before: ChannelView, changes: ChannelChanges, version: int) -> Channel:
    """The channel after PATCH. A config that does not change is not checked. Raises ``Refusal``."""
    config = before.config
    if changes.config is not None:
        config = checked_config(before.channel_type, merged(config, changes.config))
    enabled = before.enabled if changes.enabled is None else changes.enabled
    return Channel(
        slug=before.channel, channel_type=before.channel_type, enabled=enabled, config=config, version=version
    )


def checked_config(channel_type: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The config to store. Raises ``Refusal`` for what the function of this channel type would not understand."""
    model = CONFIGS[channel_type]
    for field in given:
        if field not in model.model_fields and (
            others := [name for name in CONFIGS if field in CONFIGS[name].model_fields]
        ):
            message = f"is for channels of type {' or '.join(others)}; this one has the type {channel_type}"
            raise invalid(f"config.{field}", message)
    try:
        config = model.model_validate(given)
    except ValidationError as error:
        raise refusal_of(error, ("config",)) from None
    if isinstance(config, ProvidersConfig):
        _check_providers(channel_type, config)
    if isinstance(config, WebhookConfig):
        check_credentials(config)
    return config.model_dump(exclude_none=True, by_alias=True)


def _check_providers(channel_type: str, config: ProvidersConfig) -> None:
    known = TOPOLOGY[channel_type].providers
    for index, name in enumerate(config.providers or ()):
        if name not in known:
            message = f"{channel_type} has no such provider; its providers are {', '.join(known)}"
            raise invalid(f"config.providers.{index}", message)


def _by_slug(connection: Connected) -> dict[str, ChannelView]:
    return {view.channel: view for view in store.list_channels(connection)}


def _existing(slug: str, channels: Mapping[str, ChannelView]) -> ChannelView:
    channel = channels.get(slug)
    if channel is None:
        raise not_found(f"Channel {slug!r}", "Create it with POST /v1/channels.")
    return channel


def _check_deletable(slug: str, event_types: list[str]) -> None:
    if slug in CHANNEL_TYPES:
        detail = f"The channel {slug!r} is the first one of its type. It can be switched off, and not deleted."
        raise Refusal(RefusalCode.BUILT_IN, detail)
    if event_types:
        named, more = event_types[:_SHOWN_EVENT_TYPES], len(event_types) - _SHOWN_EVENT_TYPES
        listed = ", ".join(named) + (f" and {more} more" if more > 0 else "")
        detail = f"Event types name the channel {slug!r}: {listed}. Take it out of their channels first."
        raise Refusal(RefusalCode.IN_USE, detail, members={"event_types": named})
