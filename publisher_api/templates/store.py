"""Templates in Postgres. A trigger announces each change to the cached configuration of every instance.

Versions are only ever added. The template that all tenants share is stored under an empty tenant.
"""

from typing import Any

from psycopg.types.json import Jsonb

from postgres.pool import Connected, fetch_one
from publisher_api.configuration import TemplateKey
from publisher_api.templates.model import TemplateContent, TemplateSummary, TemplateView, VersionSummary

_THIS = "tenant = %(tenant)s and template_name = %(name)s"
_LATEST = f"(select max(version) from template_versions where {_THIS})"
_PUBLISHED = f"(select version from published_templates where {_THIS})"


def lock_template(connection: Connected, key: TemplateKey) -> None:
    """Let no other transaction store a version of this template until this one ends."""
    lock = f"template {key[0] or ''} {key[1]}"
    connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])


def put_version(connection: Connected, key: TemplateKey, template: TemplateContent) -> int:
    """Store the next version, and return its number; the published or the latest one if it has the same content.

    The template is locked.
    """
    parameters = _parameters(key, content=Jsonb(template.content), locales=Jsonb(template.locales))
    row = connection.execute(
        f"""
        select version from template_versions
         where {_THIS} and version in ({_PUBLISHED}, {_LATEST}) and content = %(content)s and locales = %(locales)s
         order by version <> {_PUBLISHED} limit 1
        """,
        parameters,
    ).fetchone()
    added = f"""
        insert into template_versions (tenant, template_name, version, content, locales)
        values (%(tenant)s, %(name)s, coalesce({_LATEST}, 0) + 1, %(content)s, %(locales)s)
        returning version
    """
    version: int = (row or fetch_one(connection.execute(added, parameters)))["version"]
    return version


def publish(connection: Connected, key: TemplateKey, version: int) -> None:
    """Let notifications use this version, which exists."""
    connection.execute(
        """
        insert into published_templates (tenant, template_name, version)
        values (%(tenant)s, %(name)s, %(version)s)
            on conflict (tenant, template_name) do update set version = excluded.version
        """,
        _parameters(key, version=version),
    )


def get_template(connection: Connected, key: TemplateKey, version: int | None = None) -> TemplateView | None:
    """A version, or None. Default: the published one, or the latest where there are only drafts."""
    row = connection.execute(
        f"""
        select template_name, nullif(tenant, '') as tenant, version, {_PUBLISHED} as published_version,
               {_LATEST} as latest_version, content, locales, created_at
          from template_versions
         where {_THIS} and version = coalesce(%(version)s::int, {_PUBLISHED}, {_LATEST})
        """,
        _parameters(key, version=version),
    ).fetchone()
    return TemplateView(**row) if row else None


def list_templates(connection: Connected, tenant: str | None, limit: int, after: str | None) -> list[TemplateSummary]:
    """The tenant's own templates, or those that all tenants share, whose names follow ``after``."""
    rows = connection.execute(
        """
        select template_name, nullif(tenant, '') as tenant, p.version as published_version,
               max(v.version) as latest_version, max(v.created_at) as changed_at
          from template_versions v left join published_templates p using (tenant, template_name)
         where tenant = %(tenant)s and template_name > %(after)s
         group by tenant, template_name, p.version order by template_name limit %(limit)s
        """,
        {"tenant": tenant or "", "after": after or "", "limit": limit},
    ).fetchall()
    return [TemplateSummary(**row) for row in rows]


def list_versions(connection: Connected, key: TemplateKey, limit: int, before: int | None) -> list[VersionSummary]:
    """The versions of a template below ``before``, the newest first."""
    rows = connection.execute(
        f"""
        select version, coalesce(version = {_PUBLISHED}, false) as published, created_at
          from template_versions where {_THIS} and (%(before)s::int is null or version < %(before)s::int)
         order by version desc limit %(limit)s
        """,
        _parameters(key, before=before, limit=limit),
    ).fetchall()
    return [VersionSummary(**row) for row in rows]


def _parameters(key: TemplateKey, **others: object) -> dict[str, Any]:
    tenant, name = key
    return {"tenant": tenant or "", "name": name, **others}
