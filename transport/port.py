"""The port that every transport implements. It carries deliveries and commands out, and outcomes back.

A producer sees a ``Topic``; a consumer is a ``Handler`` that gets ``Received`` messages.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

from shared.errors import HeliographError

M = TypeVar("M")


class PublishError(HeliographError):
    """The transport is unavailable, or did not answer in time; the message names the cause."""


class PublishRefused(PublishError):
    """The transport does not accept our credentials."""


class Encoded(NamedTuple):
    """A message as it travels: a body, and text attributes without personal data."""

    data: bytes
    attributes: Mapping[str, str]


class Topic(Protocol[M]):
    """Where messages of type ``M`` are published. Safe to share between threads."""

    def publish(self, messages: Sequence[M]) -> Iterator[list[M]]:
        """Publish in as few calls as possible; yield after each call what the transport has stored.

        Raises ``PublishError``: messages not yielded by then may or may not have been published. If nothing is raised,
        the transport refuses the messages that were not yielded, and would always refuse them.
        """
        ...

    def check(self) -> None:
        """Raises ``PublishError`` when the transport cannot be reached."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Received:
    """A message as a consumer gets it.

    ``id`` is the transport's own, for logs only: it may change between attempts. ``attempt`` counts from 1; None where
    the transport does not count. ``dead_after`` is set on a dead letter: the number of attempts before it died.
    """

    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    attempt: int | None = None
    id: str = ""
    subscription: str = ""
    dead_after: int | None = None


Handler = Callable[[Received], None]
"""Returns when the message is done. Raises ``Retryable``, ``CredentialsRefused`` or ``Undecodable``; any other error is
a bug. In each case the transport delivers the message again, and in the end makes it a dead letter."""
