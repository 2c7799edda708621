"""Who gets what, on which channel, when: pure, so every decision can be tried without a database.

A channel that cannot carry the notification becomes a *suppressed* delivery with a reason, which people can read later;
a request that is wrong becomes a ``Problem``, and nothing of it is stored.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from publisher_api.accept import templates
from publisher_api.accept.request import NotificationRequest
from publisher_api.accept.words import default_words
from publisher_api.errors import invalid
from publisher_api.recipients import CHECK_OF_KIND, BadAddress
from publisher_api.store.acceptance import PersonRow
from publisher_api.store.catalog import Snapshot
from publisher_api.store.rows import ConfiguredChannel, DeliveryRow, NotificationRow
from shared.channel_types import REGISTRY
from shared.topology import TOPOLOGY

# How long the relay has for publishing what was just accepted, before the sweep does it in its stead.
RELAY_GRACE = timedelta(seconds=15)
FURTHEST = timedelta(days=366)
# Far under what Pub/Sub takes (10 MB) and Firestore (1 MiB), with the payload beside it.
MAX_CONTENT_BYTES = 512 * 1024


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to store for one request."""

    notification: NotificationRow
    deliveries: list[DeliveryRow]
    content_bytes: int


def plan(
    request: NotificationRequest,
    producer: str,
    person: PersonRow,
    catalog: Snapshot,
    *,
    now: datetime,
    new_id: Callable[[], str],
    traceparent: str | None = None,
) -> Plan:
    """The notification and a delivery for each address of each channel. Raises ``Problem``."""
    channels = [_channel(slug, index, catalog) for index, slug in enumerate(request.channels)]
    for name, mapping in (("to", request.to), ("content", request.content)):
        for slug in mapping:
            if slug not in request.channels:
                raise invalid(f"{name}.{slug}", "this channel is not among `channels`")
    inboxes = [channel.slug for channel in channels if channel.kind == "inapp"]
    if len(inboxes) > 1:
        raise invalid("channels", f"a person has one inbox: choose one of {', '.join(inboxes)}")
    due_at = max(now, request.deliver_at or now)
    expires_at = request.expires_at
    if due_at - now > FURTHEST:
        raise invalid("deliver_at", f"must be within the next {FURTHEST.days} days")
    if expires_at is not None and expires_at <= due_at:
        raise invalid("expires_at", "must be later than now and than deliver_at, or the notification is never sent")

    notification_id = new_id()
    template = _template(request, catalog)
    deliveries: list[DeliveryRow] = []
    content_bytes = 0
    for channel in channels:
        content, size = _content(request, notification_id, channel, person, template, now)
        lifetime = due_at + timedelta(seconds=TOPOLOGY[channel.kind].time_to_live_seconds)
        for recipient, reason in _recipients(request, channel, person):
            content_bytes += size
            deliveries.append(
                DeliveryRow(
                    delivery_id=new_id(),
                    notification_id=notification_id,
                    kind=channel.kind,
                    slug=channel.slug,
                    status="suppressed" if reason else "pending",
                    reason=reason,
                    recipient=recipient,
                    content=content,
                    due_at=due_at,
                    expires_at=min(lifetime, expires_at or lifetime),
                    sweep_at=due_at if due_at > now else now + RELAY_GRACE,
                ),
            )
    to_inbox = any(delivery.kind == "inapp" and delivery.status == "pending" for delivery in deliveries)
    return Plan(
        notification=NotificationRow(
            notification_id=notification_id,
            producer=producer,
            user_id=request.user_id,
            event_type=request.event_type,
            actor_user_id=request.actor_user_id,
            channels=request.channels,
            payload=request.payload,
            template_name=request.template_name,
            dedup_key=request.dedup_key,
            priority=request.priority,
            deliver_at=request.deliver_at,
            traceparent=traceparent,
            created_at=now,
            inbox_at=due_at if to_inbox else None,
        ),
        deliveries=deliveries,
        content_bytes=content_bytes,
    )


def _channel(slug: str, index: int, catalog: Snapshot) -> ConfiguredChannel:
    channel = catalog.channels.get(slug)
    if channel is None:
        known = ", ".join(sorted(catalog.channels))
        raise invalid(f"channels.{index}", f"there is no channel {slug!r}; there are {known}", "unknown_channel")
    return channel


def _template(request: NotificationRequest, catalog: Snapshot) -> Mapping[str, Any] | None:
    if request.template_name is None:
        return None
    template = catalog.templates.get(request.template_name)
    if template is None:
        message = f"there is no template {request.template_name!r}; PUT /v1/templates/{request.template_name} makes it"
        raise invalid("template_name", message, "unknown_template")
    return template


def _recipients(
    request: NotificationRequest,
    channel: ConfiguredChannel,
    person: PersonRow,
) -> list[tuple[str | None, str | None]]:
    """Pairs of an address and, where there is to be no delivery, the reason."""
    addresses: list[str]
    override = request.to.get(channel.slug)
    if override is not None:
        if channel.kind == "inapp":
            raise invalid(f"to.{channel.slug}", "the inbox is always the one of `user_id`")
        if "url" in channel.config:
            # Its headers and its secret belong to the receiver that was configured, and to no other.
            raise invalid(f"to.{channel.slug}", "this channel has an address of its own, which a request cannot change")
        try:
            addresses = [CHECK_OF_KIND[channel.kind](override)]
        except BadAddress as error:
            raise invalid(f"to.{channel.slug}", str(error)) from None
    else:
        addresses = _own_addresses(request.user_id, channel, person)
    if not channel.enabled:
        return [(addresses[0] if addresses else None, "channel_off")]
    if not addresses:
        return [(None, "no_device" if channel.kind == "push" else "no_address")]
    return [(address, None) for address in addresses]


def _own_addresses(user_id: str, channel: ConfiguredChannel, person: PersonRow) -> list[str]:
    match channel.kind:
        case "inapp":
            return [user_id]
        case "push":
            return person.devices
        case "webhook":
            url = channel.config.get("url")
            return [url] if url else []
        case "email":
            return [person.email] if person.email else []
        case _:
            return [person.phone] if person.phone else []


def _content(
    request: NotificationRequest,
    notification_id: str,
    channel: ConfiguredChannel,
    person: PersonRow,
    template: Mapping[str, Any] | None,
    now: datetime,
) -> tuple[dict[str, Any], int]:
    """Template or plain words, with the request's own laid over them, in the shape of the channel's kind; and their
    size in bytes.
    """
    override = request.content.get(channel.slug, {})
    words: dict[str, Any]
    if template is not None:
        source = template.get(channel.slug, template.get(channel.kind))
        if source is None and not override:
            message = f"the template {request.template_name!r} has no words for the channel {channel.slug!r}"
            raise invalid("template_name", message, "template_failed")
        words = templates.render(source or {}, _variables(request, person), f"template.{channel.slug}")
    else:
        words = default_words(channel.kind, request, notification_id, now)
    try:
        content = msgspec.convert({**words, **override}, REGISTRY[channel.kind].content)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        raise invalid(f"content.{channel.slug}{path.rstrip('`')}", message) from None
    size = len(msgspec.json.encode(content))
    if size > MAX_CONTENT_BYTES:
        message = f"renders to more than {MAX_CONTENT_BYTES // 1024} KB"
        raise invalid(f"content.{channel.slug}", message, "too_large")
    builtins: dict[str, Any] = msgspec.to_builtins(content)
    return builtins, size


def _variables(request: NotificationRequest, person: PersonRow) -> dict[str, Any]:
    """What a template can say: the payload's own names, and the notification's beside them."""
    return {
        **request.payload,
        "payload": request.payload,
        "event_type": request.event_type,
        "actor_user_id": request.actor_user_id,
        "user": {"user_id": request.user_id, "locale": person.locale, "timezone": person.timezone},
    }
