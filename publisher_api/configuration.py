"""What operators configure, at one moment: channels, templates, event types, preferences, limits, and API keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from publisher_api.api_keys.model import ApiKey
from publisher_api.channels.model import Channel
from publisher_api.event_types.model import EventType
from publisher_api.limits.model import Limits
from publisher_api.preferences.model import Preferences

Contents = Mapping[str, Mapping[str, Any]]
"""Content by channel or channel type; each text in it is a Jinja template."""
TemplateKey = tuple[str | None, str]
"""A tenant and the name of a template. None: the template that all tenants share."""


@dataclass(frozen=True, slots=True)
class Template:
    """One version of a template, which never changes. ``locales`` has variants of ``content`` by language tag."""

    version: int
    content: Contents
    locales: Mapping[str, Contents] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TemplateVersions:
    """The versions of a template that requests can use: the ``published`` one, if there is one, and the newest."""

    published: int | None
    versions: Mapping[int, Template]


@dataclass(frozen=True, slots=True)
class Configuration:
    """``channels`` by slug, ``event_types`` by name, ``api_keys`` by the SHA-256 of their secret.

    ``preferences`` are those of the environment. ``limits`` are those in force.
    """

    channels: Mapping[str, Channel]
    templates: Mapping[TemplateKey, TemplateVersions]
    api_keys: Mapping[bytes, ApiKey]
    event_types: Mapping[str, EventType] = field(default_factory=dict)
    preferences: Preferences = field(default_factory=Preferences)
    limits: Limits = field(default_factory=Limits)
