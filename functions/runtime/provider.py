"""The one port a channel fills in: a provider that takes a delivery and answers."""

from dataclasses import dataclass
from typing import Protocol

from shared.envelope import Delivery


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took the message. ``provider_message_id`` is its own id, by which it can be asked about later."""

    provider: str
    provider_message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider refuses this message for good.

    ``reason`` is a short word of ours (``invalid_number``); ``detail`` the provider's own code or words, without
    personal data. ``suppress``: the person has said no (opted out, unsubscribed), which is their wish and no failure.
    """

    provider: str
    reason: str
    detail: str = ""
    suppress: bool = False


class Provider(Protocol):
    """Sends one delivery, once, without retrying: Pub/Sub retries."""

    name: str

    def send(self, delivery: Delivery) -> Sent | Rejected:
        """Hand ``delivery`` to the provider.

        Raises ``Retryable`` (429, 5xx, timeout, refused connection), ``CredentialsRefused`` (401, 403) or
        ``Undecodable`` (the content is not this channel's). Anything else that escapes is a bug.
        """
        ...
