"""Which template a request uses, and which of its variants a channel gets. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from publisher_api.channels.model import Channel
from publisher_api.configuration import Template, TemplateKey, TemplateVersions
from publisher_api.refusal import Refusal, RefusalCode, invalid


class Variant(msgspec.Struct, frozen=True):
    """The content of one channel before it is rendered, and where it stands. ``locale`` is None for the default."""

    fields: Mapping[str, Any]
    place: str
    locale: str | None


class ChosenTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """The template of a request, and the language that is asked for.

    ``own`` is the tenant's and ``shared`` that of all tenants; at least one of them exists.
    """

    name: str
    locale: str | None
    own: Template | None = None
    shared: Template | None = None

    def variant(self, channel: Channel) -> Variant | None:
        """The content for ``channel``, or None if there is none in any of the languages.

        The language comes first, then the channel before its type, then the tenant's own content before the shared.
        """
        for locale in (*fallbacks(self.locale), None):
            for key in (channel.slug, channel.channel_type):
                for layer, template in (("tenant_template", self.own), ("template", self.shared)):
                    if template is None:
                        continue
                    contents = template.content if locale is None else template.locales.get(locale, {})
                    if key in contents:
                        place = layer if locale is None else f"{layer}.locales.{locale}"
                        return Variant(contents[key], f"{place}.{key}", locale)
        return None

    def channels(self) -> set[str]:
        """The channels and channel types that it has content for, in any language."""
        templates = [template for template in (self.own, self.shared) if template is not None]
        variants = [contents for each in templates for contents in (each.content, *each.locales.values())]
        return {key for contents in variants for key in contents}


def fallbacks(locale: str | None) -> Sequence[str]:
    """The language tags to look for, the most specific first: ``pt``'s after ``pt-BR``'s (RFC 4647, section 3.4)."""
    return list(_shortened(locale)) if locale else ()


def _shortened(tag: str) -> Iterator[str]:
    subtags = tag.split("-")
    while subtags:
        yield "-".join(subtags)
        subtags.pop()
        if subtags and len(subtags[-1]) == 1:  # it introduces an extension, and means nothing without one
            subtags.pop()


def template_for(
    name: str | None,
    version: int | None,
    templates: Mapping[TemplateKey, TemplateVersions],
    *,
    tenant: str | None,
    locale: str | None = None,
) -> ChosenTemplate | None:
    """The template of a request, None if it names none. Raises ``Refusal``.

    ``version`` is one of the shared template, in place of the published one. Of the tenant's own template the published
    version is used.
    """
    if name is None:
        if version is not None:
            raise invalid("template_version", "there is no `template_name` that it could be a version of")
        return None
    known = {owner: templates[owner, name] for owner in (tenant, None) if (owner, name) in templates}
    own = _published(known.get(tenant)) if tenant is not None else None
    shared = _pinned(name, version, known.get(None)) if version is not None else _published(known.get(None))
    if own is None and shared is None:
        raise _unusable(name, exists=bool(known))
    return ChosenTemplate(name=name, locale=locale, own=own, shared=shared)


def _published(known: TemplateVersions | None) -> Template | None:
    return known.versions[known.published] if known is not None and known.published is not None else None


def _pinned(name: str, version: int, known: TemplateVersions | None) -> Template:
    found = known.versions.get(version) if known is not None else None
    if found is None:
        usable = ", ".join(map(str, sorted(known.versions))) if known is not None else "none"
        message = (
            f"the template {name!r} has no version {version}, or one that is too old to be named. Versions that can be"
            f" named: {usable}. POST /v1/templates/{name}/publish makes any other version usable"
        )
        raise invalid("template_version", message, RefusalCode.UNKNOWN_TEMPLATE)
    return found


def _unusable(name: str, *, exists: bool) -> Refusal:
    if exists:
        message = f"the template {name!r} has only drafts; publish one with POST /v1/templates/{name}/publish"
    else:
        message = f"unknown template {name!r}; create it with PUT /v1/templates/{name}"
    return invalid("template_name", message, RefusalCode.UNKNOWN_TEMPLATE)
