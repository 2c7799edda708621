"""Fakes at the ports we own. Each runs through the same tests as the real part, so that it cannot drift."""

import dataclasses
import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta

from functions.runtime.ledger import Claimed, Finished, Held, Resting, rest
from functions.runtime.provider import Rejected, Sent
from shared.envelope import Delivery
from shared.errors import DeliveryError
from shared.outcomes import Outcome
from tests.factories import NOON


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclasses.dataclass
class _Entry:
    state: str
    lease_until: datetime
    doubts: int
    version: int
    outcome: Outcome | None = None


class MemoryLedger:
    """The ledger in a dictionary (``tests/integration/test_ledger.py``)."""

    def __init__(self, lease: timedelta) -> None:
        self._lease = lease
        self._entries: dict[str, _Entry] = {}
        self._versions = itertools.count()

    def claim(self, key: str, now: datetime) -> Claimed | Held | Resting | Finished:
        found = self._entries.get(key)
        if found and found.outcome:
            return Finished(found.outcome)
        if found and found.lease_until > now:
            return Held() if found.state == "claimed" else Resting(found.lease_until)
        doubts = found.doubts + (found.state == "claimed") if found else 0
        entry = _Entry("claimed", now + self._lease, doubts, next(self._versions))
        self._entries[key] = entry
        return Claimed(key, doubts, entry.version)

    def release(self, claim: Claimed, now: datetime, *, uncertain: bool) -> None:
        entry = self._entries[claim.key]
        if entry.version == claim.version:
            entry.state = "released"
            entry.doubts = claim.doubts + uncertain
            entry.lease_until = now + rest(entry.doubts) if uncertain else now
            entry.version = next(self._versions)

    def finish(self, claim: Claimed, outcome: Outcome) -> None:
        entry = self._entries[claim.key]
        entry.state, entry.outcome, entry.version = "finished", outcome, next(self._versions)


class FailingLedger(MemoryLedger):
    """A ledger that goes away after the claim."""

    def __init__(self, error: DeliveryError) -> None:
        super().__init__(timedelta(seconds=90))
        self._error = error

    def release(self, claim: Claimed, now: datetime, *, uncertain: bool) -> None:  # noqa: ARG002 - the port's signature
        raise self._error

    def finish(self, claim: Claimed, outcome: Outcome) -> None:  # noqa: ARG002 - likewise
        raise self._error


class MemoryOutcomes:
    """Outcomes in a list (``tests/integration/test_outcomes.py``); while ``error`` is set, none gets through."""

    def __init__(self) -> None:
        self.published: list[Outcome] = []
        self.error: DeliveryError | None = None

    def publish(self, outcome: Outcome) -> None:
        if self.error:
            raise self.error
        self.published.append(outcome)


class ScriptedProvider:
    """Gives its answers in turn, the last one for ever, and keeps what it was given."""

    def __init__(self, answers: Sequence[Sent | Rejected | Exception], name: str = "scripted") -> None:
        self.name = name
        self.got: list[Delivery] = []
        self._answers = list(answers)

    def send(self, delivery: Delivery) -> Sent | Rejected:
        self.got.append(delivery)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer
