"""What operators configure, at one moment: channels, templates, event types, preferences, and API keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from publisher_api.api_keys.model import ApiKey
from publisher_api.channels.model import Channel
from publisher_api.event_types.model import EventType
from publisher_api.preferences.model import Preferences

Template = Mapping[str, Any]
"""Content by channel or channel type; each text in it is a Jinja template."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """``channels`` by slug, ``templates`` and ``event_types`` by name, ``api_keys`` by the SHA-256 of their secret.

    ``preferences`` are those of the environment.
    """

    channels: Mapping[str, Channel]
    templates: Mapping[str, Template]
    api_keys: Mapping[bytes, ApiKey]
    event_types: Mapping[str, EventType] = field(default_factory=dict)
    preferences: Preferences = field(default_factory=Preferences)
