"""What operators configure, at one moment: channels, templates, and the producers' API keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from publisher_api.channels.model import Channel

Template = Mapping[str, Any]
"""Content by channel or channel type; each text in it is a Jinja template."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """``channels`` by slug, ``templates`` by name, ``producers`` by the SHA-256 of their API key."""

    channels: Mapping[str, Channel]
    templates: Mapping[str, Template]
    producers: Mapping[bytes, str]
