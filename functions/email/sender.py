"""Who an e-mail is from: the sender of the channel's config, or that of the environment."""

from typing import NamedTuple

from shared.envelope import Delivery


class Sender(NamedTuple):
    """``address`` and ``reply_to`` are ``a@b`` or ``Name <a@b>``."""

    address: str
    reply_to: str | None = None


def sender_of(delivery: Delivery, default: str) -> Sender:
    """The sender of ``delivery``; ``default`` where its channel names no address."""
    configured = delivery.config.get("sender") or {}
    return Sender(configured.get("from") or default, configured.get("reply_to"))
