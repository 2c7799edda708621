"""The use cases of templates. A template is checked and compiled when it is stored, not when a producer sends."""

from collections.abc import Mapping
from typing import Any

import msgspec

from postgres.pool import Connected, Pool
from publisher_api.audit.service import record
from publisher_api.channels.model import Channel
from publisher_api.configuration import TemplateKey
from publisher_api.db.config_cache import ConfigCache
from publisher_api.json_body import MAX_DEPTH, deeper_than
from publisher_api.planning import rendering
from publisher_api.planning.compose import OURS
from publisher_api.planning.route import channel_named
from publisher_api.principal import Principal
from publisher_api.refusal import Refusal, invalid, not_found
from publisher_api.templates import store
from publisher_api.templates.model import (
    TemplateContent,
    TemplateFields,
    TemplatePage,
    TemplateView,
    VersionPage,
)
from shared.channel_types import channel_type_named


def put_template(
    pool: Pool, cache: ConfigCache, key: TemplateKey, fields: TemplateFields, caller: Principal
) -> TemplateView:
    """Store a version of the template, and publish it if ``fields`` say so. Raises ``Refusal``."""
    check(fields, key, cache.current().channels)
    with pool.connection() as connection:
        store.lock_template(connection, key)
        template = _put(connection, key, fields, caller, store.get_template(connection, key))
    cache.drop()
    return template


def create_template(
    pool: Pool, cache: ConfigCache, key: TemplateKey, fields: TemplateFields, caller: Principal
) -> bool:
    """Store a template; False if there is one of this name, which stays as it is. Raises ``Refusal``."""
    check(fields, key, cache.current().channels)
    with pool.connection() as connection:
        store.lock_template(connection, key)
        if store.get_template(connection, key) is not None:
            return False
        _put(connection, key, fields, caller, None)
    cache.drop()
    return True


def _put(
    connection: Connected, key: TemplateKey, fields: TemplateFields, caller: Principal, before: TemplateView | None
) -> TemplateView:
    """Store a version of a template that is locked."""
    version = store.put_version(connection, key, fields)
    if fields.publish:
        store.publish(connection, key, version)
    template = _existing(store.get_template(connection, key, version), key)
    old = _recorded(before) if before is not None else None
    record(connection, caller, "template.put", _place(key), before=old, after=_recorded(template))
    return template


def publish(pool: Pool, cache: ConfigCache, key: TemplateKey, version: int, caller: Principal) -> TemplateView:
    """Let notifications use this version. Raises ``Refusal``."""
    with pool.connection() as connection:
        store.lock_template(connection, key)
        before = _existing(store.get_template(connection, key, version), key, version)
        store.publish(connection, key, version)
        old, new = {"published_version": before.published_version}, {"published_version": version}
        record(connection, caller, "template.publish", _place(key), before=old, after=new)
    cache.drop()
    return before.model_copy(update=new)


def get_template(pool: Pool, key: TemplateKey, version: int | None = None) -> TemplateView:
    """A version of the template; by default the published one, or the latest of only drafts. Raises ``Refusal``."""
    with pool.connection() as connection:
        return _existing(store.get_template(connection, key, version), key, version)


def list_templates(pool: Pool, tenant: str | None, limit: int, after: str | None) -> TemplatePage:
    """The templates of the tenant, or those that all tenants share, whose names follow ``after``."""
    with pool.connection() as connection:
        found = store.list_templates(connection, tenant, limit + 1, after)
    return TemplatePage(templates=found[:limit], next=found[limit - 1].template_name if len(found) > limit else None)


def list_versions(pool: Pool, key: TemplateKey, limit: int, before: int | None) -> VersionPage:
    """The versions of the template below ``before``, the newest first. Raises ``Refusal``."""
    with pool.connection() as connection:
        found = store.list_versions(connection, key, limit + 1, before)
    if not found and before is None:
        raise unknown(key)
    return VersionPage(versions=found[:limit], next=found[limit - 1].version if len(found) > limit else None)


def check(template: TemplateContent, key: TemplateKey, channels: Mapping[str, Channel]) -> None:
    """Raises ``Refusal`` for a template that no notification could be composed from."""
    for slug, content in template.content.items():
        check_content(slug, content, channels, "content")
    for tag, variant in template.locales.items():
        for slug, content in variant.items():
            check_content(slug, content, channels, f"locales.{tag}")
    tenant, _ = key
    if tenant is None:
        _check_default(template, channels)
    elif not template.content and not template.locales:
        raise invalid("content", "a tenant's own template needs content for a channel, here or in `locales`")


def _check_default(template: TemplateContent, channels: Mapping[str, Channel]) -> None:
    """Raises ``Refusal`` for a channel that users of other languages would get nothing on."""
    if not template.content:
        raise invalid("content", "needs content for one channel at least")
    for tag, variant in template.locales.items():
        for slug in variant:
            if slug not in template.content and channels[slug].channel_type not in template.content:
                message = f"has no default: give `content` the channel {slug} too, for users of other languages"
                raise invalid(f"locales.{tag}.{slug}", message)


def check_content(slug: str, content: dict[str, Any], channels: Mapping[str, Channel], place: str) -> None:
    """Raises ``Refusal`` for content that no notification could be composed from. ``place`` is where it stands.

    ``slug`` is a channel. Channel types are channels too: each type has a channel of its own name.
    """
    channel_type = channel_named(slug, channels, f"{place}.{slug}").channel_type
    declared = channel_type_named(channel_type)
    fields = msgspec.structs.fields(declared.content)
    known = [field.name for field in fields]
    for name in content:
        if name not in known:
            message = f"{channel_type} content has no such field; its fields are {', '.join(known)}"
            raise invalid(f"{place}.{slug}.{name}", message)
    if deeper_than(content, MAX_DEPTH):
        raise invalid(f"{place}.{slug}", f"is nested more than {MAX_DEPTH} levels deep")
    rendering.check(content, f"{place}.{slug}")
    for field in fields:
        source = declared.derived_texts.get(field.name)
        if field.required and field.name not in content and (source is None or source not in content):
            message = "this field is required" if source is None else f"this field or `{source}` is required"
            raise invalid(f"{place}.{slug}.{field.name}", message)


def _recorded(template: TemplateView) -> dict[str, Any]:
    return template.model_dump(include={"published_version", "content", "locales"})


def _place(key: TemplateKey) -> str:
    tenant, name = key
    return f"templates/{name}" if tenant is None else f"templates/{name}?tenant={tenant}"


def unknown(key: TemplateKey, version: int | None = None) -> Refusal:
    """The refusal for a template, or a version of it, that does not exist."""
    tenant, name = key
    owner, query = (f" of the tenant {tenant!r}", f"?tenant={tenant}") if tenant is not None else ("", "")
    if version is None:
        return not_found(f"Template {name!r}{owner}", f"Create it with PUT /v1/templates/{name}{query}.")
    remedy = f"GET /v1/templates/{name}/versions{query} lists its versions."
    return not_found(f"Version {version} of the template {name!r}{owner}", remedy)


def _existing(template: TemplateView | None, key: TemplateKey, version: int | None = None) -> TemplateView:
    if template is None:
        raise unknown(key, version)
    names = rendering.variables_of([template.content, template.locales]) - OURS
    return template.model_copy(update={"variables": sorted(names)})
