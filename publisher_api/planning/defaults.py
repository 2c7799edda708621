"""Step 0, defaults: what the event type and the user say where the request says nothing."""

from collections.abc import Iterator, Mapping

from publisher_api.channels.model import Channel
from publisher_api.event_types.model import EventType
from publisher_api.fields import MAX_CHANNELS
from publisher_api.notifications.request import NotificationRequest
from publisher_api.planning.preference import TENANT, USER, Layers, verdict_on
from publisher_api.refusal import invalid


def with_defaults(
    request: NotificationRequest, event_type: EventType | None, layers: Layers, channels: Mapping[str, Channel]
) -> NotificationRequest:
    """The request with the channels and the template of its event type, if it names none. Raises ``Refusal``.

    Where the event type has no channels, these are the channels that the user chose.
    """
    missing: dict[str, object] = {}
    if not request.channels:
        chosen = event_type.channels if event_type is not None else []
        missing["channels"] = chosen or list(_preferred(request, event_type, layers, channels))[:MAX_CHANNELS]
    if request.template_name is None and event_type is not None and event_type.template_name is not None:
        missing["template_name"] = event_type.template_name
    if not missing:
        return request
    if missing.get("channels") == []:
        message = f"name them, or give the event type its own with PUT /v1/event-types/{request.event_type}"
        raise invalid("channels", message)
    return request.model_copy(update=missing)


def _preferred(
    request: NotificationRequest, event_type: EventType | None, layers: Layers, channels: Mapping[str, Channel]
) -> Iterator[str]:
    """The channels on which the user's own preferences want this event type, by slug; one inbox at most."""
    has_inbox = False
    for slug in sorted(channels):
        channel = channels[slug]
        verdict = verdict_on(request.event_type, event_type, channel, layers)
        if verdict.layer not in (TENANT, USER) or not verdict.wanted or (channel.channel_type == "inapp" and has_inbox):
            continue
        has_inbox = has_inbox or channel.channel_type == "inapp"
        yield slug
