"""The attributes of a message on the topic: what subscriptions filter on, and what people read in a console.

The body is the truth. The attributes repeat what routes and explains, hold no personal data, and stay under Pub/Sub's
limits (100 attributes, 256 bytes a key, 1,024 a value), which the emulator does not enforce.
"""

from shared.envelope import Command, Delivery

COMMAND_CHANNEL = "inapp"


def attributes_of(message: Delivery | Command) -> dict[str, str]:
    """The attributes to publish ``message`` with."""
    match message:
        case Delivery():
            return {
                "channel": message.channel,
                "slug": message.slug,
                "event_type": message.event_type,
                "priority": str(message.priority),
                "notification_id": message.notification_id,
                "delivery_id": message.delivery_id,
                "round": str(message.round),
                "v": str(message.v),
            }
        case Command():
            return {"channel": COMMAND_CHANNEL, "command": message.command, "v": str(message.v)}
