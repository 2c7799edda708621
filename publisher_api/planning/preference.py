"""Decides whether a user wants an event type on a channel. One evaluator for plans and for explanations.

The layers are asked in their order: the user's preferences within the notification's tenant, then the user's for
everything, then those of the environment. Within a layer the most specific line decides. A mandatory event type is
always wanted. What no line decides is wanted, too.
"""

from collections.abc import Iterator, Mapping

import msgspec

from publisher_api.channels.model import Channel
from publisher_api.event_types.model import EventType
from publisher_api.preferences.model import Choices, Preferences
from publisher_api.preferences.quiet_hours import QuietHours
from publisher_api.users.model import User

MANDATORY, TENANT, USER, ENVIRONMENT = "mandatory", "tenant", "user", "environment"
Layers = Mapping[str, Preferences]
"""The preferences by their layer, the first before the next."""


def layers_of(user: User, tenant: str | None, defaults: Preferences) -> Layers:
    """The layers of a notification. ``defaults`` are the environment's."""
    general = {USER: user.preferences, ENVIRONMENT: defaults}
    own = user.tenants.get(tenant) if tenant is not None else None
    return general if own is None else {TENANT: own, **general}


class Verdict(msgspec.Struct, frozen=True):
    """``layer`` and ``line`` say what decided; both are None if nothing did."""

    wanted: bool
    layer: str | None = None
    line: str | None = None


def quiet_hours_of(layers: Layers) -> QuietHours | None:
    """The quiet hours of the first layer that has some."""
    return next((each.quiet_hours for each in layers.values() if each.quiet_hours is not None), None)


def verdict_on(event_type: str, declared: EventType | None, channel: Channel, layers: Layers) -> Verdict:
    """Whether the event type is wanted on the channel. ``declared`` is the event type's declaration, if it has one."""
    if declared is not None and declared.mandatory:
        return Verdict(wanted=True, layer=MANDATORY)
    category = declared.category if declared is not None else None
    for layer, preferences in layers.items():
        for line, choice in _lines(preferences, event_type, category, channel):
            if choice is not None:
                return Verdict(choice, layer, line)
    return Verdict(wanted=True)


def _lines(
    preferences: Preferences, event_type: str, category: str | None, channel: Channel
) -> Iterator[tuple[str, bool | None]]:
    """Every line that applies with its choice, the most specific first."""
    subjects: list[tuple[str, Choices | None]] = [
        (f"event_types.{event_type}.", preferences.event_types.get(event_type)),
        (f"categories.{category}.", preferences.categories.get(category) if category is not None else None),
        ("", preferences),
    ]
    for place, choices in subjects:
        if choices is not None:
            yield f"{place}channels.{channel.slug}", choices.channels.get(channel.slug)
            yield f"{place}channel_types.{channel.channel_type}", choices.channel_types.get(channel.channel_type)
            yield f"{place}enabled", choices.enabled
