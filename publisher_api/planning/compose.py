"""Step 5, compose: the content of each channel, from a template or the default, with the request's own over it."""

from typing import Any

import msgspec
from jinja2.exceptions import SecurityError

from publisher_api.channels.model import Channel
from publisher_api.notifications.request import NotificationRequest
from publisher_api.planning import rendering
from publisher_api.planning.plain_text import text_of
from publisher_api.planning.template_limits import limited
from publisher_api.planning.variants import ChosenTemplate
from publisher_api.refusal import RefusalCode, invalid
from publisher_api.users.model import User
from shared.channel_types import ChannelType, Event, channel_type_named

# Far below what Pub/Sub (10 MB) and Firestore (1 MiB) accept, with the payload beside it.
MAX_CONTENT_BYTES = 512 * 1024


class Composed(msgspec.Struct, frozen=True):
    """Rendered content in the shape of its channel type's model; ``size`` in bytes of JSON."""

    content: dict[str, Any]
    size: int


def compose(
    request: NotificationRequest, event: Event, channel: Channel, user: User, template: ChosenTemplate | None
) -> Composed:
    """The content for one channel. Raises ``Refusal`` naming the field at fault."""
    channel_type = channel_type_named(channel.channel_type)
    override = request.content.get(channel.slug, {})
    if template is None:
        base = channel_type.default_content(event)
    else:
        base = _rendered(request, channel, user, template, optional=bool(override))
    fields = {**base, **override} if override else base
    return _checked(_with_derived_texts(fields, channel, channel_type), channel, channel_type)


def _rendered(
    request: NotificationRequest, channel: Channel, user: User, template: ChosenTemplate, *, optional: bool
) -> dict[str, Any]:
    variant = template.variant(channel)
    if variant is None:
        if optional:
            return {}
        message = f"the template {template.name!r} has no content for the channel {channel.slug!r}"
        raise invalid("template_name", message, RefusalCode.TEMPLATE_FAILED)
    rendered: dict[str, Any] = rendering.render(variant.fields, _variables(request, user), variant.place)
    return rendered


def _with_derived_texts(fields: dict[str, Any], channel: Channel, channel_type: ChannelType) -> dict[str, Any]:
    """``fields`` with each text that is absent and can be derived from a field in HTML. Raises ``Refusal``."""
    derived = {
        name: _derived(fields[source], channel, name, source)
        for name, source in channel_type.derived_texts.items()
        if name not in fields and isinstance(fields.get(source), str)
    }
    return {**fields, **derived} if derived else fields


def _derived(html: str, channel: Channel, name: str, source: str) -> str:
    try:
        with limited(rendering.MAX_SECONDS):
            text = text_of(html)
    except (ValueError, SecurityError) as error:
        text, why = "", f"cannot be read: {error}"
    else:
        why = "has no text"
    if not text:
        raise invalid(f"content.{channel.slug}.{name}", f"cannot be derived from `{source}`, which {why}. Give it")
    return text


OURS = frozenset({"payload", "event_type", "actor_user_id", "user"})
"""The variables that a template has beside the payload's own."""


def _variables(request: NotificationRequest, user: User) -> dict[str, Any]:
    """What a template can use: the payload's own names, and the notification's (``OURS``)."""
    return {
        **request.payload,
        "payload": request.payload,
        "event_type": request.event_type,
        "actor_user_id": request.actor_user_id,
        "user": {
            "user_id": request.user_id,
            "locale": user.locale,
            "timezone": user.timezone,
            "attributes": user.attributes,
        },
    }


def _checked(fields: dict[str, Any], channel: Channel, channel_type: ChannelType) -> Composed:
    try:
        content = msgspec.convert(fields, channel_type.content)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        raise invalid(f"content.{channel.slug}{path.rstrip('`')}", message) from None
    size = len(msgspec.json.encode(content))
    if size > MAX_CONTENT_BYTES:
        message = f"renders to more than {MAX_CONTENT_BYTES // 1024} KB"
        raise invalid(f"content.{channel.slug}", message, RefusalCode.TOO_LARGE)
    builtins: dict[str, Any] = msgspec.to_builtins(content)
    return Composed(builtins, size)
