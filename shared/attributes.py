"""The attributes of a published message: what subscriptions filter on, and what operators read in a console.

The body is authoritative. The attributes repeat what subscriptions and operators need, hold no personal data, and stay
under Pub/Sub's limits (100 attributes, 256 bytes per key, 1,024 per value), which the emulator does not enforce. In
version 1 the attribute ``channel`` holds the channel type, and ``slug`` the channel.
"""

from shared.envelope import Command, Delivery

COMMAND_CHANNEL_TYPE = "inapp"


def attributes_of(message: Delivery | Command) -> dict[str, str]:
    """The attributes of ``message``."""
    match message:
        case Delivery():
            return {
                "channel": message.channel_type,
                "slug": message.channel,
                "event_type": message.event_type,
                "priority": str(message.priority),
                "notification_id": message.notification_id,
                "delivery_id": message.delivery_id,
                "round": str(message.round),
                "v": str(message.v),
            }
        case Command():
            return {"channel": COMMAND_CHANNEL_TYPE, "command": message.command, "v": str(message.v)}
