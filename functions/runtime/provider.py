"""The one port a channel fills in: a provider that takes a delivery and answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from shared.envelope import Delivery


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took the message.

    ``provider_message_id`` is its own id, by which it can be asked about later. ``possible_duplicate``: another
    provider may have taken the message before this one did.
    """

    provider: str
    provider_message_id: str | None = None
    possible_duplicate: bool = False


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


class Adapter(Protocol):
    """The class of a provider: what it needs of the environment, and how it is made from it."""

    name: str
    """As ``channels.json`` declares it."""
    required: ClassVar[tuple[str, ...]]
    """The environment variables without which the function cannot start."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Provider | None:
        """The provider, or ``None`` if this environment does without it. ``required`` is checked before."""
        ...
