"""Compares declarations with what is stored, and stores them by the use cases of the API.

What is stored and not declared stays, because it may have been created through the API.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from postgres.pool import Pool
from publisher_api.channels.credentials import shown_config
from publisher_api.channels.model import Channel, ChannelFields
from publisher_api.channels.service import Channels, changed
from publisher_api.configuration import Configuration, Template, TemplateKey, TemplateVersions
from publisher_api.db.config_cache import ConfigCache
from publisher_api.declarations.differences import Difference
from publisher_api.declarations.files import (
    CHANNELS,
    EVENT_TYPES,
    LIMITS,
    TEMPLATES,
    BadDeclarations,
    Declarations,
    faults_of,
)
from publisher_api.event_types import service as event_types
from publisher_api.event_types.model import EventType, EventTypeFields
from publisher_api.limits import service as limits
from publisher_api.limits.model import Limit
from publisher_api.principal import Principal
from publisher_api.refusal import Refusal
from publisher_api.templates import service as templates
from publisher_api.templates.model import TemplateFields


@dataclass(frozen=True, slots=True)
class Applying:
    """Applies declarations to the database of ``pool``."""

    pool: Pool
    cache: ConfigCache
    channels: Channels
    caller: Principal

    def differences(self, declared: Declarations) -> list[Difference]:
        """One for everything that is declared, whether or not it changes. Raises ``BadDeclarations``."""
        current = self.cache.current()
        _check(declared, current)
        return [
            *(
                _channel(f"{CHANNELS}/{slug}", current.channels.get(slug), fields)
                for slug, fields in declared.channels.items()
            ),
            *(
                Difference(f"{TEMPLATES}/{name}", _published(current, name), fields.model_dump())
                for name, fields in declared.templates.items()
            ),
            *(
                Difference(f"{EVENT_TYPES}/{name}", _event_type(current.event_types.get(name)), _given(fields))
                for name, fields in declared.event_types.items()
            ),
            *(
                Difference(
                    f"{LIMITS}/{scope}",
                    _limit(current.limits.by_scope[scope]) if scope in current.limits.by_scope else None,
                    _limit(fields.as_limit()),
                )
                for scope, fields in declared.limits.items()
            ),
        ]

    def apply(self, declared: Declarations, places: Collection[str]) -> None:
        """Store what is declared at ``places``. What names others comes after them. Raises ``Refusal``."""
        for slug, channel in declared.channels.items():
            if f"{CHANNELS}/{slug}" in places:
                self.channels.put(slug, channel, self.caller)
        for name, template in declared.templates.items():
            if f"{TEMPLATES}/{name}" in places:
                fields = TemplateFields(content=template.content, locales=template.locales)
                templates.put_template(self.pool, self.cache, (None, name), fields, self.caller)
        for name, event_type in declared.event_types.items():
            if f"{EVENT_TYPES}/{name}" in places:
                event_types.put_event_type(self.pool, self.cache, name, event_type, self.caller)
        for scope, limit in declared.limits.items():
            if f"{LIMITS}/{scope}" in places:
                limits.put_limit(self.pool, self.cache, scope, limit, self.caller)


def _check(declared: Declarations, current: Configuration) -> None:
    """Raises ``BadDeclarations`` for what the API would refuse once the other declarations are stored."""
    faults: list[str] = []
    channels = {**current.channels}
    for slug, fields in declared.channels.items():
        with _collecting(f"{CHANNELS}/{slug}", faults):
            channels[slug] = changed(slug, fields, channels.get(slug), 0)
    for name, template in declared.templates.items():
        with _collecting(f"{TEMPLATES}/{name}", faults):
            templates.check(template, (None, name), channels)
    planned = replace(current, channels=channels, templates={**current.templates, **_as_published(declared)})
    for name, event_type in declared.event_types.items():
        with _collecting(f"{EVENT_TYPES}/{name}", faults):
            event_types.check(event_type, planned.channels, planned.templates)
    for scope in declared.limits:
        with _collecting(f"{LIMITS}/{scope}", faults):
            limits.check(scope, planned)
    if faults:
        raise BadDeclarations(faults)


def _as_published(declared: Declarations) -> dict[TemplateKey, TemplateVersions]:
    """The declared templates, as if each were published as its first version."""
    return {
        (None, name): TemplateVersions(1, {1: Template(1, template.content, template.locales)})
        for name, template in declared.templates.items()
    }


def _published(current: Configuration, name: str) -> Mapping[str, Any] | None:
    template = current.templates.get((None, name))
    if template is None or template.published is None:
        return None
    published = template.versions[template.published]
    return {"content": published.content, "locales": published.locales}


@contextmanager
def _collecting(place: str, faults: list[str]) -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        faults += faults_of(place, refusal)


def _channel(place: str, stored: Channel | None, fields: ChannelFields) -> Difference:
    """Of a stored config, only what cannot be a credential is shown."""
    after = _fields(changed("", fields, stored, 0))
    if stored is None:
        return Difference(place, None, after)
    before = _fields(stored)
    return Difference(place, before, after, {**before, "config": shown_config(stored.config)})


def _fields(channel: Channel) -> dict[str, Any]:
    return {"channel_type": channel.channel_type, "enabled": channel.enabled, "config": channel.config}


def _event_type(stored: EventType | None) -> Mapping[str, Any] | None:
    if stored is None:
        return None
    fields = msgspec.to_builtins(stored)
    return _given(EventTypeFields.model_validate({name: fields[name] for name in EventTypeFields.model_fields}))


def _given(fields: EventTypeFields) -> Mapping[str, Any]:
    given: dict[str, Any] = fields.model_dump(exclude_defaults=True)
    return given


def _limit(limit: Limit) -> Mapping[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(limit)
    return fields
