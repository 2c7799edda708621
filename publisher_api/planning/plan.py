"""Plans a notification: defaults → route → allow → schedule → hold → compose → assemble, a module each.

A channel that cannot carry the notification becomes a *suppressed* delivery with a reason. A request that is wrong
raises ``Refusal``, and nothing of it is stored.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec

from publisher_api.configuration import Configuration
from publisher_api.notifications.records import DeliveryRecord, NotificationRecord
from publisher_api.notifications.request import NotificationRequest
from publisher_api.planning.allow import Target, allow
from publisher_api.planning.assemble import Origin, assemble_deliveries, assemble_notification
from publisher_api.planning.compose import Composed, compose
from publisher_api.planning.defaults import with_defaults
from publisher_api.planning.hold import Hold, hold
from publisher_api.planning.preference import layers_of
from publisher_api.planning.route import route
from publisher_api.planning.schedule import schedule
from publisher_api.planning.variants import template_for
from publisher_api.users.model import User
from shared.channel_types import Event


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The rows to store for one request. ``content_bytes`` counts the content of every delivery."""

    notification: NotificationRecord
    deliveries: list[DeliveryRecord]
    content_bytes: int


def plan(
    request: NotificationRequest,
    producer: str,
    user: User,
    configuration: Configuration,
    *,
    now: datetime,
    new_id: Callable[[], str],
    traceparent: str | None = None,
) -> Plan:
    """The notification, and a delivery for each address of each channel. Raises ``Refusal``."""
    event_type = configuration.event_types.get(request.event_type)
    layers = layers_of(user, request.tenant, configuration.preferences)
    request = with_defaults(request, event_type, layers, configuration.channels)
    routes = route(request, event_type, user, layers, configuration.channels)
    times = schedule(request, now, event_type.time_to_live if event_type else None)
    origin = Origin(
        notification_id=str(request.notification_id or new_id()),
        producer=producer,
        accepted_at=now,
        traceparent=traceparent,
    )
    event = Event(
        notification_id=origin.notification_id,
        event_type=request.event_type,
        user_id=request.user_id,
        actor_user_id=request.actor_user_id,
        payload=request.payload,
        created_at=times.created_at,
    )
    template = template_for(
        request.template_name,
        request.template_version,
        configuration.templates,
        tenant=request.tenant,
        locale=request.locale or user.locale,
    )
    targets: list[tuple[Target, Composed, Hold | None]] = []
    for each in routes:
        composed = compose(request, event, each.channel, user, template)
        targets += [(target, composed, hold(each, target, times, origin.notification_id)) for target in allow(each)]
    deliveries = assemble_deliveries(request, origin, targets, times, new_id)
    return Plan(
        notification=assemble_notification(request, template, origin, times, deliveries),
        deliveries=deliveries,
        content_bytes=sum(composed.size for _, composed, _ in targets),
    )
