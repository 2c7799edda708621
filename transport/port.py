"""The port that every transport implements. It carries deliveries and commands out, and outcomes back.

A producer sees a ``Topic``; a consumer is a ``Handler`` that gets ``Received`` messages. Pub/Sub pushes them to the
functions. Every other transport has a ``Queue`` for each subscription, from which a worker takes them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from shared.errors import HeliographError

M = TypeVar("M")


class TransportError(HeliographError):
    """The transport is unavailable, or did not answer in time; the message names the cause."""


class PublishError(TransportError):
    """Messages could not be published."""


class PublishRefused(PublishError):
    """The transport does not accept our credentials."""


class Encoded(NamedTuple):
    """A message as it travels: a body, and text attributes without personal data."""

    data: bytes
    attributes: Mapping[str, str]


class Epoch(NamedTuple):
    """Changes when the transport may have lost messages that it had stored.

    ``data`` changes when all may be lost; ``process`` alone when only those of its last seconds may be.
    """

    data: str
    process: str


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


class Taken(NamedTuple):
    """A message that this process has taken. ``mark`` is the transport's own, for what follows."""

    received: Received
    mark: Any


class Queue(Protocol):
    """One subscription, as a worker sees it. Safe to share between threads. Every method raises ``TransportError``.

    A message that was taken, and is not settled before the subscription's deadline, can be taken again. To settle a
    message that was taken again since does nothing, or completes it: a handler must bear a second delivery anyway.
    """

    def take(self, limit: int, wait_seconds: float) -> list[Taken]:
        """Up to ``limit`` messages, each counting one attempt more; waits for the first, then returns at once."""
        ...

    def wake(self) -> None:
        """Let a ``take`` that waits return, now or at its next wait."""
        ...

    def done(self, taken: Sequence[Taken]) -> None:
        """These messages are handled."""
        ...

    def again(self, taken: Taken, after_seconds: float) -> None:
        """Let this message be taken again, not before ``after_seconds``."""
        ...

    def bury(self, taken: Taken) -> None:
        """Move this message to the subscription's dead letters, with the number of times that it was taken."""
        ...

    def close(self) -> None: ...


Handler = Callable[[Received], None]
"""Returns when the message is done. Raises ``Retryable``, ``CredentialsRefused`` or ``Undecodable``; any other error is
a bug. In each case the transport delivers the message again, and in the end makes it a dead letter."""
