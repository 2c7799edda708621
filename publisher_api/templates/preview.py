"""Renders a template as if a notification were sent with it."""

from datetime import UTC, datetime

import msgspec

from postgres.pool import Connected, Pool
from publisher_api.configuration import Template, TemplateKey, TemplateVersions
from publisher_api.db.config_cache import ConfigCache
from publisher_api.notifications.request import NotificationRequest
from publisher_api.notifications.service import get_notification
from publisher_api.planning.compose import compose
from publisher_api.planning.template_limits import limited
from publisher_api.planning.variants import template_for
from publisher_api.principal import Principal, Scope, Sight
from publisher_api.refusal import invalid
from publisher_api.templates import store
from publisher_api.templates.model import RenderedSms, RenderRequest, RenderView, TemplateView
from publisher_api.templates.service import unknown
from publisher_api.users.model import User
from publisher_api.users.service import load_users
from shared.channel_types import Event
from shared.sms_text import size_of

_MAX_SECONDS = 2.0
_SAMPLE_ID = "00000000-0000-7000-8000-000000000000"
_SAMPLE_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def render(pool: Pool, cache: ConfigCache, key: TemplateKey, wanted: RenderRequest, caller: Principal) -> RenderView:
    """The content that a notification with this template would have on each of its channels. Raises ``Refusal``.

    It shows what is stored of a notification and of a user only to a caller that may read them.
    """
    if wanted.notification_id is not None:
        caller.require(Scope.READ)
    if wanted.user_id is not None:
        caller.require(Scope.USERS)
    tenant, name = key
    with pool.connection() as connection:
        templates = _stored(connection, key, wanted.version)
    request = _sample(pool, key, wanted, caller.sight)
    user = load_users(pool, [request.user_id]).get(request.user_id) or User(user_id=request.user_id)
    template = template_for(name, None, templates, tenant=tenant, locale=request.locale or user.locale)
    if template is None or (shown := template.own or template.shared) is None:
        raise unknown(key)
    known = cache.current().channels
    channels = [known[slug] for slug in sorted(template.channels()) if slug in known]
    variants = {each.slug: variant for each in channels if (variant := template.variant(each))}
    event = Event(
        notification_id=_SAMPLE_ID,
        event_type=request.event_type,
        user_id=request.user_id,
        actor_user_id=request.actor_user_id,
        payload=request.payload,
        created_at=_SAMPLE_TIME,
    )
    with limited(_MAX_SECONDS):
        content = {slug: compose(request, event, known[slug], user, template).content for slug in variants}
    texts = {slug: each["text"] for slug, each in content.items() if known[slug].channel_type == "sms"}
    return RenderView(
        version=shown.version,
        content=content,
        locales={slug: variant.locale for slug, variant in variants.items()},
        sms={slug: RenderedSms(**msgspec.structs.asdict(size_of(text))) for slug, text in texts.items()},
    )


def _stored(connection: Connected, key: TemplateKey, version: int | None) -> dict[TemplateKey, TemplateVersions]:
    """The version that is rendered, as if it were published, and the shared template below a tenant's own.

    Raises ``Refusal`` if there is neither.
    """
    found = {key: store.get_template(connection, key, version)}
    if found[key] is None and version is not None:
        raise unknown(key, version)
    if key[0] is not None:
        shared_key = (None, key[1])
        shared = store.get_template(connection, shared_key)
        found[shared_key] = shared if shared is not None and shared.published_version is not None else None
    templates = {each: _as_published(view) for each, view in found.items() if view is not None}
    if not templates:
        raise unknown(key)
    return templates


def _as_published(view: TemplateView) -> TemplateVersions:
    return TemplateVersions(view.version, {view.version: Template(view.version, view.content, view.locales)})


def _sample(pool: Pool, key: TemplateKey, wanted: RenderRequest, sight: Sight) -> NotificationRequest:
    """The request that is rendered. Raises ``Refusal``."""
    if (wanted.payload is None) == (wanted.notification_id is None):
        raise invalid("payload", "give either a payload or a notification_id")
    payload, event_type, user_id, locale = wanted.payload, wanted.event_type, wanted.user_id, wanted.locale
    actor_user_id = None
    if wanted.notification_id is not None:
        notification = get_notification(pool, wanted.notification_id, sight)
        payload = notification.payload
        event_type, user_id = event_type or notification.event_type, user_id or notification.user_id
        locale, actor_user_id = locale or notification.locale, notification.actor_user_id
    return NotificationRequest.model_construct(
        user_id=user_id or "sample-user",
        event_type=event_type or "sample",
        payload=payload,
        template_name=key[1],
        locale=locale,
        actor_user_id=actor_user_id,
        content={},
    )
