"""The port that a channel type's adapters implement: a provider sends one delivery and returns its result."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from shared.envelope import Delivery
from shared.reasons import Reason


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider accepted the delivery.

    ``provider_message_id`` is the provider's own id, which its later events carry. ``possible_duplicate``: another
    provider may have accepted the delivery before this one.
    """

    provider: str
    provider_message_id: str | None = None
    possible_duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider refuses the delivery permanently.

    ``detail`` is the provider's own code or text, without personal data. ``suppress``: the user opted out, which is
    recorded as ``suppressed`` and not as ``failed``.
    """

    provider: str
    reason: Reason
    detail: str = ""
    suppress: bool = False


class Provider(Protocol):
    """Sends one delivery, once, without retries: the transport delivers the message again."""

    name: str

    def send(self, delivery: Delivery) -> Sent | Rejected:
        """Send ``delivery`` to the provider.

        Raises ``Retryable`` (429, 5xx, timeout, refused connection; ``ambiguous`` if it may have been sent),
        ``CredentialsRefused`` (401, 403) or ``Undecodable`` (the content is not of this channel type). Any other
        exception is a bug.
        """
        ...


class Adapter(Protocol):
    """The class of a provider: the environment variables that it needs, and how it is built from them."""

    name: str
    """The provider's name in ``channels.json``."""
    required: ClassVar[tuple[str, ...]]
    """The environment variables without which the function cannot start."""
    longest_send_seconds: ClassVar[float]
    """When a ``send`` is given up (``limits.TimeLimit``). All providers of a channel type must fit into its lease."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Provider | None:
        """The provider; None if it is optional and not configured. ``required`` is checked before this call."""
        ...
