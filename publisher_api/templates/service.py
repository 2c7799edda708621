"""The use cases of templates. A template is checked and compiled when it is stored, not when a producer sends."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from postgres.pool import Pool
from publisher_api.audit.service import record
from publisher_api.channels.model import Channel
from publisher_api.db.config_cache import ConfigCache
from publisher_api.json_body import MAX_DEPTH, deeper_than
from publisher_api.notifications.request import NotificationRequest
from publisher_api.notifications.service import get_notification
from publisher_api.planning import rendering
from publisher_api.planning.compose import OURS, compose
from publisher_api.planning.route import channel_named
from publisher_api.planning.template_limits import limited
from publisher_api.principal import Principal, Scope, Sight
from publisher_api.refusal import invalid, not_found
from publisher_api.templates import store
from publisher_api.templates.model import RenderRequest, RenderView, TemplateFields, TemplateView
from publisher_api.users.model import User
from publisher_api.users.service import load_users
from shared.channel_types import REGISTRY, Event

_MAX_SECONDS = 2.0
_SAMPLE_ID = "00000000-0000-7000-8000-000000000000"
_SAMPLE_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def put_template(pool: Pool, cache: ConfigCache, name: str, fields: TemplateFields, caller: Principal) -> TemplateView:
    """Create or replace a template. Raises ``Refusal``."""
    channels = cache.current().channels
    for slug, content in fields.content.items():
        check_content(slug, content, channels)
    with pool.connection() as connection:
        before = store.get_template(connection, name)
        template = store.put_template(connection, name, fields.content)
        old = before.content if before is not None else None
        record(connection, caller, "template.put", f"templates/{name}", before=old, after=template.content)
    cache.drop()
    return _with_variables(template)


def get_template(pool: Pool, name: str) -> TemplateView:
    """The template. Raises ``Refusal``."""
    with pool.connection() as connection:
        template = store.get_template(connection, name)
    if template is None:
        raise not_found(f"Template {name!r}", f"Create it with PUT /v1/templates/{name}.")
    return _with_variables(template)


def render(pool: Pool, cache: ConfigCache, name: str, wanted: RenderRequest, caller: Principal) -> RenderView:
    """The content that a notification with this template would have on each of its channels. Raises ``Refusal``.

    It shows what is stored of a notification and of a user only to a caller that may read them.
    """
    if wanted.notification_id is not None:
        caller.require(Scope.READ)
    if wanted.user_id is not None:
        caller.require(Scope.USERS)
    template, channels = get_template(pool, name).content, cache.current().channels
    request = _sample(pool, name, [slug for slug in template if slug in channels], wanted, caller.sight)
    user = load_users(pool, [request.user_id]).get(request.user_id) or User(user_id=request.user_id)
    event = Event(
        notification_id=_SAMPLE_ID,
        event_type=request.event_type,
        user_id=request.user_id,
        actor_user_id=request.actor_user_id,
        payload=request.payload,
        created_at=_SAMPLE_TIME,
    )
    with limited(_MAX_SECONDS):
        composed = {slug: compose(request, event, channels[slug], user, template) for slug in request.channels}
    return RenderView(content={slug: each.content for slug, each in composed.items()})


def _sample(pool: Pool, name: str, channels: list[str], wanted: RenderRequest, sight: Sight) -> NotificationRequest:
    """The request that is rendered. Raises ``Refusal``."""
    if (wanted.payload is None) == (wanted.notification_id is None):
        raise invalid("payload", "give either a payload or a notification_id")
    payload, event_type, user_id = wanted.payload, wanted.event_type, wanted.user_id
    if wanted.notification_id is not None:
        notification = get_notification(pool, wanted.notification_id, sight)
        payload = notification.payload
        event_type, user_id = event_type or notification.event_type, user_id or notification.user_id
    return NotificationRequest.model_construct(
        user_id=user_id or "sample-user",
        event_type=event_type or "sample",
        channels=channels,
        payload=payload,
        template_name=name,
        actor_user_id=None,
        content={},
    )


def _with_variables(template: TemplateView) -> TemplateView:
    return template.model_copy(update={"variables": sorted(rendering.variables_of(template.content) - OURS)})


def check_content(slug: str, content: dict[str, Any], channels: Mapping[str, Channel]) -> None:
    """Raises ``Refusal`` for content that no notification could be composed from.

    ``slug`` is a channel. Channel types are channels too: each type has a channel of its own name.
    """
    channel_type = channel_named(slug, channels, f"content.{slug}").channel_type
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
