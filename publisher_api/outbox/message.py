"""The message of a delivery, made from its rows. Pure."""

from typing import NamedTuple

from publisher_api.channels.model import Channel
from publisher_api.notifications.records import DeliveryRecord, NotificationRecord
from shared import envelope
from shared.attributes import attributes_of
from shared.envelope import VERSION, Delivery, Message
from transport.port import Encoded


class Outgoing(NamedTuple):
    """A message that is to be published, and whose it is."""

    producer: str
    delivery: Delivery


def message_of(notification: NotificationRecord, delivery: DeliveryRecord, channel: Channel) -> Delivery:
    """The message for a delivery that has a recipient."""
    return Delivery(
        v=VERSION,
        notification_id=notification.notification_id,
        event_type=notification.event_type,
        user_id=notification.user_id,
        channels=notification.channels,
        payload=notification.payload,
        created_at=notification.created_at,
        actor_user_id=notification.actor_user_id,
        tenant=notification.tenant,
        template_name=notification.template_name,
        dedup_key=notification.dedup_key,
        priority=notification.priority,
        delivery_id=delivery.delivery_id,
        channel_type=delivery.channel_type,
        channel=delivery.channel,
        round=delivery.round,
        deferrals=delivery.deferrals,
        recipient=delivery.recipient or "",
        content=delivery.content or {},
        config=channel.config_for(notification.tenant),
        expires_at=delivery.expires_at,
        traceparent=notification.traceparent,
        switched_on=channel.version if channel.enabled else 0,
        read_at=notification.read_at,
        archived_at=notification.archived_at,
        accepted_at=notification.accepted_at,
    )


def encode(message: Message) -> Encoded:
    """The message as the transport carries it."""
    return Encoded(envelope.encode(message), attributes_of(message))
