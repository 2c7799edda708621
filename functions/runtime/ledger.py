"""What the ledger says about a delivery, so that nothing is sent twice. Pure; ``ports.Ledger`` is the ledger itself.

::

    (nothing) ──▶ claimed ──▶ finished
                   │   ▲
                   ▼   │ claim again; an expired lease is taken over
                 released

The ledger counts the unconfirmed attempts of a delivery: attempts that the provider never answered, and workers that
died. Each of them may have reached the user. After each, no worker can claim the delivery during a cooldown, which
doubles every time, because a slow provider may have accepted all of them (``docs/decisions/0007``).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.outcomes import Outcome

_FIRST_COOLDOWN = timedelta(seconds=15)
_LONGEST_COOLDOWN = timedelta(hours=1)
_MAX_DOUBLINGS = 16


@dataclass(frozen=True, slots=True)
class Claimed:
    """The claim is ours until its lease ends. ``version`` is the ledger's own mark of this claim."""

    key: str
    unconfirmed_attempts: int
    version: Any

    @property
    def possible_duplicate(self) -> bool:
        """Whether an earlier attempt may have reached the user."""
        return self.unconfirmed_attempts > 0


@dataclass(frozen=True, slots=True)
class ClaimedByOther:
    """Another worker holds the claim."""


@dataclass(frozen=True, slots=True)
class CoolingDown:
    """An earlier attempt is unconfirmed; the next one must wait until ``until``."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Finished:
    """The delivery has ended with this outcome."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Unfinished:
    """No outcome is recorded. ``possible_duplicate``: an unconfirmed attempt may have reached the user."""

    possible_duplicate: bool


Claim = Claimed | ClaimedByOther | CoolingDown | Finished


def cooldown(unconfirmed_attempts: int) -> timedelta:
    """How long no worker can claim a delivery after its last attempt was unconfirmed.

    >>> [int(cooldown(attempts).total_seconds()) for attempts in (1, 2, 3, 99)]
    [15, 30, 60, 3600]
    """
    doublings = min(unconfirmed_attempts - 1, _MAX_DOUBLINGS)
    return min(_FIRST_COOLDOWN * (1 << doublings), _LONGEST_COOLDOWN)


class NoLedger:
    """A ledger that records nothing, for a provider that accepts the same delivery twice and keeps one (the inbox)."""

    def claim(self, key: str, now: datetime) -> Claimed:  # noqa: ARG002 - the port's signature
        return Claimed(key, unconfirmed_attempts=0, version=None)

    def release(self, claim: Claimed, now: datetime, *, ambiguous: bool) -> None:
        pass

    def finish(self, claim: Claimed, outcome: Outcome) -> None:
        pass

    def look_up(self, key: str) -> Unfinished:  # noqa: ARG002 - the port's signature
        return Unfinished(possible_duplicate=False)
