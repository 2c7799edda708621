"""Step 1, route: which channels, and the addresses on each."""

from collections.abc import Iterable, Mapping
from typing import assert_never

import msgspec

from publisher_api.addresses import BadAddress, check
from publisher_api.channels.model import Channel
from publisher_api.event_types.model import EventType
from publisher_api.notifications.request import NotificationRequest
from publisher_api.planning.preference import Layers
from publisher_api.refusal import Refusal, RefusalCode, invalid
from publisher_api.users.model import User
from shared.addresses import AddressKind
from shared.channel_types import channel_type_named
from shared.webhook_presets import configured_address, preset_of


class Route(msgspec.Struct, frozen=True):
    """A channel and the addresses that the request would be sent to on it, of which there may be none.

    It holds what a rule of ``allow`` may look at.
    """

    request: NotificationRequest
    event_type: EventType | None
    user: User
    layers: Layers
    channel: Channel
    addresses: list[str]

    @property
    def address_kind(self) -> AddressKind:
        return channel_type_named(self.channel.channel_type).address


def route(
    request: NotificationRequest,
    event_type: EventType | None,
    user: User,
    layers: Layers,
    channels: Mapping[str, Channel],
) -> list[Route]:
    """A route for each channel of the request, in its order. Raises ``Refusal``."""
    chosen = [channel_named(slug, channels, f"channels.{index}") for index, slug in enumerate(request.channels)]
    _refuse_unused_overrides(request)
    _refuse_two_inboxes(chosen)
    return [Route(request, event_type, user, layers, channel, _addresses(request, channel, user)) for channel in chosen]


def own_addresses(kind: AddressKind, channel: Channel, user: User) -> list[str]:
    """The addresses that a notification without ``to`` is sent to."""
    match kind:
        case AddressKind.EMAIL:
            return [user.email] if user.email else []
        case AddressKind.PHONE:
            return [user.phone] if user.phone else []
        case AddressKind.DEVICE_TOKEN:
            return user.devices
        case AddressKind.URL:
            configured = configured_address(channel.config)
            return [configured] if configured else []
        case AddressKind.USER_ID:
            return [user.user_id]
        case _:
            assert_never(kind)


def channel_named(slug: str, channels: Mapping[str, Channel], field: str) -> Channel:
    """The channel that ``field`` names. Raises ``Refusal``."""
    channel = channels.get(slug)
    if channel is None:
        raise unknown_channel(slug, channels, field)
    return channel


def unknown_channel(slug: str, known: Iterable[str], field: str) -> Refusal:
    """Says that ``field`` names a channel that is not one of ``known``."""
    message = f"unknown channel {slug!r}; known channels: {', '.join(sorted(known))}"
    return invalid(field, message, RefusalCode.UNKNOWN_CHANNEL)


def _refuse_unused_overrides(request: NotificationRequest) -> None:
    if not request.to and not request.content:
        return
    for name, overrides in (("to", request.to), ("content", request.content)):
        for slug in overrides:
            if slug not in request.channels:
                raise invalid(f"{name}.{slug}", "this channel is not in `channels`")


def _refuse_two_inboxes(channels: list[Channel]) -> None:
    if len(channels) == 1:
        return
    inboxes = [channel.slug for channel in channels if channel.channel_type == "inapp"]
    if len(inboxes) > 1:
        raise invalid("channels", f"a user has one inbox: choose one of {', '.join(inboxes)}")


def _addresses(request: NotificationRequest, channel: Channel, user: User) -> list[str]:
    kind = channel_type_named(channel.channel_type).address
    override = request.to.get(channel.slug)
    if override is None:
        return own_addresses(kind, channel, user)
    field = f"to.{channel.slug}"
    if kind is AddressKind.USER_ID:
        raise invalid(field, "the inbox is always the one of `user_id`")
    if kind is AddressKind.URL and configured_address(channel.config) is not None:
        # The channel's headers and secret belong to the configured receiver and to no other.
        raise invalid(field, "this channel has a configured receiver, which a request cannot change")
    preset = preset_of(channel.config)
    if preset is not None and preset.recipient is not None:
        if not preset.accepts(override):
            raise invalid(field, f"must be {preset.recipient.description}")
        return [override]
    try:
        return [check(kind, override)]
    except BadAddress as error:
        raise invalid(field, str(error)) from None
