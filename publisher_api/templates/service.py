"""The use cases of templates. A template is checked and compiled when it is stored, not when a producer sends."""

from collections.abc import Mapping
from typing import Any

import msgspec

from postgres.pool import Pool
from publisher_api.channels.model import Channel
from publisher_api.db.config_cache import ConfigCache
from publisher_api.json_body import MAX_DEPTH, deeper_than
from publisher_api.planning import rendering
from publisher_api.refusal import RefusalCode, invalid, not_found
from publisher_api.templates import store
from publisher_api.templates.model import TemplateFields, TemplateView
from shared.channel_types import REGISTRY


def put_template(pool: Pool, cache: ConfigCache, name: str, fields: TemplateFields) -> TemplateView:
    """Create or replace a template. Raises ``Refusal``."""
    channels = cache.current().channels
    for slug, content in fields.content.items():
        check_content(slug, content, channels)
    with pool.connection() as connection:
        template = store.put_template(connection, name, fields.content)
    cache.drop()
    return template


def get_template(pool: Pool, name: str) -> TemplateView:
    """The template. Raises ``Refusal``."""
    with pool.connection() as connection:
        template = store.get_template(connection, name)
    if template is None:
        raise not_found(f"Template {name!r}", f"Create it with PUT /v1/templates/{name}.")
    return template


def check_content(slug: str, content: dict[str, Any], channels: Mapping[str, Channel]) -> None:
    """Raises ``Refusal`` for content that no notification could be composed from.

    ``slug`` is a channel. Channel types are channels too: each type has a channel of its own name.
    """
    if slug not in channels:
        message = f"unknown channel {slug!r}; known channels: {', '.join(sorted(channels))}"
        raise invalid(f"content.{slug}", message, RefusalCode.UNKNOWN_CHANNEL)
    channel_type = channels[slug].channel_type
    fields = msgspec.structs.fields(REGISTRY[channel_type].content)
    known = [field.name for field in fields]
    for name in content:
        if name not in known:
            message = f"{channel_type} content has no such field; its fields are {', '.join(known)}"
            raise invalid(f"content.{slug}.{name}", message)
    if deeper_than(content, MAX_DEPTH):
        raise invalid(f"content.{slug}", f"is nested more than {MAX_DEPTH} levels deep")
    rendering.check(content, f"content.{slug}")
    for field in fields:
        if field.required and field.name not in content:
            raise invalid(f"content.{slug}.{field.name}", "this field is required")
