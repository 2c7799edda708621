"""What was found: values only, so that checks can be tried without a cloud."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from doctor.topology import Subscription


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Nothing answered."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotLoggedIn:
    """There are no credentials of Google's on this machine, or they have run out."""

    reason: str


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Google knows us, and does not let us look."""

    reason: str


Unknown = Unreachable | NotLoggedIn | Forbidden


@dataclass(frozen=True, slots=True)
class Database:
    """``revision`` is the schema's, None before the first migration; ``newest`` is the code's.

    ``behind`` counts the migrations between them, and is None when the code does not know ``revision``.
    """

    revision: str | None
    newest: str
    behind: int | None


@dataclass(frozen=True, slots=True)
class Topology:
    """Every topic and subscription of the project, by short name."""

    topics: frozenset[str]
    subscriptions: Mapping[str, Subscription]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. ``body`` is its JSON object, empty if it has none."""

    status: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Deployed:
    """A function as Google Cloud lists it: ``state`` is ACTIVE when it can run."""

    name: str
    region: str
    state: str
    url: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The text of the rules in force, None when there are none, and of those in the repository."""

    deployed: str | None
    wanted: str


@dataclass(frozen=True, slots=True)
class Clock:
    """How far somebody's clock is ahead of this machine's (behind, when negative)."""

    ahead: timedelta


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks that could be read; on one machine there is none of Google's."""

    google: Clock | None
    publisher: Clock | None
    postgres: Clock | None


@dataclass(frozen=True, slots=True)
class Publisher:
    """Its answers: to ``/health``, to ``/health/sweep``, and to a push of an outcome that carries no token."""

    health: Answer | Unreachable
    sweep: Answer | Unreachable
    unsigned_push: Answer | Unreachable


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of it. ``deployed`` and ``bridge`` are None where there is no such thing: on one machine, in the clouds."""

    database: Database | Unreachable
    topology: Topology | Unknown
    functions: Mapping[str, Answer | Unreachable]
    deployed: Mapping[str, Deployed] | Unknown | None
    bridge: Answer | Unreachable | None
    publisher: Publisher
    rules: Rules | Unknown
    clocks: Clocks


def clock_of(date: datetime, asked: datetime, answered: datetime) -> Clock:
    """The clock that said ``date`` in an answer, taken to have been written halfway between question and answer."""
    return Clock(date - (asked + (answered - asked) / 2))
