"""Facts about a deployment, as values, so that checks can be tested without a deployment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from doctor.topology import PushSubscription


@dataclass(frozen=True, slots=True)
class Unreachable:
    """There was no response."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotLoggedIn:
    """Google credentials are missing on this machine, or have expired."""

    reason: str


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Google accepts the credentials, and the account lacks the permission to read."""

    reason: str


Unknown = Unreachable | NotLoggedIn | Forbidden
"""Why a fact could not be read from Google."""


@dataclass(frozen=True, slots=True)
class Database:
    """``revision`` is the schema's revision, None before the first migration. ``newest`` is the newest in this code.

    ``behind`` is the number of migrations between them, or None if this code does not contain ``revision``.
    ``certificate_checked`` is False if the connection uses TLS and would also accept another server.
    """

    revision: str | None
    newest: str
    behind: int | None
    certificate_checked: bool = True


@dataclass(frozen=True, slots=True)
class Topology:
    """All topics and subscriptions of the project, by short name."""

    topics: frozenset[str]
    subscriptions: Mapping[str, PushSubscription]


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response. ``body`` is its JSON object, or empty if the body is anything else."""

    status: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeployedFunction:
    """A function as Google Cloud lists it. ``state`` is ACTIVE if the function can run."""

    name: str
    region: str
    state: str
    url: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a Firestore database: the text in force (None if there is none), and that of ``file``.

    ``file`` is the name of a file in the repository.
    """

    database: str
    file: str
    deployed: str | None
    expected: str


@dataclass(frozen=True, slots=True)
class Clock:
    """How far a clock is ahead of this machine's clock. Negative if it is behind."""

    ahead: timedelta


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks that could be read. ``google`` is None for the local stack."""

    google: Clock | None
    publisher: Clock | None
    postgres: Clock | None


@dataclass(frozen=True, slots=True)
class Publisher:
    """The publisher's responses to ``/health``, to ``/health/sweep``, and to a push of an outcome without a token."""

    health: Response | Unreachable
    sweep: Response | Unreachable
    unsigned_push: Response | Unreachable


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All facts. ``deployed`` is None for the local stack, ``bridge`` is None for a deployment."""

    database: Database | Unreachable
    topology: Topology | Unknown
    functions: Mapping[str, Response | Unreachable]
    deployed: Mapping[str, DeployedFunction] | Unknown | None
    bridge: Response | Unreachable | None
    publisher: Publisher
    rules: Sequence[Rules] | Unknown
    clocks: Clocks


def clock_of(date: datetime, requested: datetime, responded: datetime) -> Clock:
    """The clock that wrote ``date`` into a response. Assumes that it did so halfway between request and response."""
    return Clock(date - (requested + (responded - requested) / 2))
