"""What the live inbox says about a delivery whose outcome may have been lost.

The inbox is a ledger by itself, and the only one that inapp deliveries have: a notification that it holds has arrived.
"""

from functions.runtime.inbox import can_have_inbox
from functions.runtime.ports import Inbox
from functions.runtime.provider import Sent
from shared.addresses import AddressKind
from shared.channel_types import REGISTRY
from shared.envelope import Delivery

PROVIDER = "inbox"


def sent_to_inbox(delivery: Delivery) -> Sent:
    """The answer for a delivery that the inbox holds."""
    return Sent(PROVIDER, delivery.notification_id)


def arrival(inbox: Inbox, delivery: Delivery) -> Sent | None:
    """The answer if ``delivery`` has arrived in the inbox; None if it has not, or does not go to an inbox.

    Raises ``Retryable`` or ``CredentialsRefused``.
    """
    channel_type = REGISTRY.get(delivery.channel_type)  # None for a dead letter of a type that a newer release added
    if channel_type is None or channel_type.address is not AddressKind.USER_ID:
        return None
    user_id = delivery.recipient
    return (
        sent_to_inbox(delivery) if can_have_inbox(user_id) and inbox.holds(user_id, delivery.notification_id) else None
    )
