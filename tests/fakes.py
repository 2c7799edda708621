"""Fakes at our own ports.

Each ``Memory…`` class passes the contract tests of its port (``tests/contract``), as does the transport in
``tests/memory_transport.py``. The others only fail, or replay a script.
"""

import dataclasses
import itertools
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

from functions.runtime.inbox import InboxEntry, can_have_inbox
from functions.runtime.ledger import Claim, Claimed, ClaimedByOther, CoolingDown, Finished, Unfinished, cooldown
from functions.runtime.outcomes import TopicOutcomeSink, encode
from functions.runtime.provider import Rejected, Sent
from functions.runtime.switches import SwitchTable
from shared import outcomes
from shared.envelope import Delivery
from shared.errors import DeliveryError
from shared.outcomes import Outcome
from shared.topology import OUTCOMES_SUBSCRIPTION, OUTCOMES_TOPIC
from tests.factories import NOON
from tests.memory_transport import MemoryTransport


class Clock:
    """A clock that does not change until a test moves it."""

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
    unconfirmed_attempts: int
    version: int
    outcome: Outcome | None = None

    @property
    def unconfirmed_now(self) -> int:
        return self.unconfirmed_attempts + (self.state == "claimed")


class MemoryLedger:
    """The ledger in a dictionary (contract: ``tests/contract/test_ledger.py``)."""

    def __init__(self, lease: timedelta) -> None:
        self._lease = lease
        self._entries: dict[str, _Entry] = {}
        self._versions = itertools.count()
        self._lock = threading.Lock()

    def claim(self, key: str, now: datetime) -> Claim:
        with self._lock:
            return self._claim(key, now)

    def release(self, claim: Claimed, now: datetime, *, ambiguous: bool) -> None:
        entry = self._entries[claim.key]
        if entry.version == claim.version:
            entry.state = "released"
            entry.unconfirmed_attempts = claim.unconfirmed_attempts + ambiguous
            entry.lease_until = now + cooldown(entry.unconfirmed_attempts) if ambiguous else now
            entry.version = next(self._versions)

    def finish(self, claim: Claimed, outcome: Outcome) -> None:
        entry = self._entries[claim.key]
        entry.state, entry.outcome, entry.version = "finished", outcome, next(self._versions)

    def look_up(self, key: str) -> Finished | Unfinished:
        found = self._entries.get(key)
        if found and found.outcome:
            return Finished(found.outcome)
        return Unfinished(possible_duplicate=bool(found and found.unconfirmed_now))

    def _claim(self, key: str, now: datetime) -> Claim:
        found = self._entries.get(key)
        if found and found.outcome:
            return Finished(found.outcome)
        if found and found.lease_until > now:
            return ClaimedByOther() if found.state == "claimed" else CoolingDown(found.lease_until)
        unconfirmed = found.unconfirmed_now if found else 0
        entry = _Entry("claimed", now + self._lease, unconfirmed, next(self._versions))
        self._entries[key] = entry
        return Claimed(key, unconfirmed, entry.version)


class FailingLedger(MemoryLedger):
    """A ledger that fails after the claim."""

    def __init__(self, error: DeliveryError) -> None:
        super().__init__(timedelta(seconds=90))
        self._error = error

    def release(self, claim: Claimed, now: datetime, *, ambiguous: bool) -> None:  # noqa: ARG002 - the port's signature
        raise self._error

    def finish(self, claim: Claimed, outcome: Outcome) -> None:  # noqa: ARG002 - the port's signature
        raise self._error


class MemoryOutcomes(TopicOutcomeSink):
    """The sink of the functions over a transport in memory, whose ``error`` makes it unavailable."""

    def __init__(self) -> None:
        self.transport = MemoryTransport()
        super().__init__(self.transport.topic(OUTCOMES_TOPIC, encode))

    @property
    def published(self) -> list[Outcome]:
        return [outcomes.decode(each.data) for each in self.transport.messages(OUTCOMES_SUBSCRIPTION)]


class MemorySwitchStore:
    """The switch table in an attribute (contract: ``tests/contract/test_channel_switches.py``)."""

    def __init__(self, table: SwitchTable | None = None) -> None:
        self._table = table or SwitchTable()

    def read(self) -> SwitchTable:
        return self._table

    def write(self, table: SwitchTable) -> None:
        if table.version > self._table.version:
            self._table = table


class MemoryInbox:
    """The inboxes in a dictionary (contract: ``tests/contract/test_inbox.py``)."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], InboxEntry] = {}
        self._erased: dict[str, datetime] = {}

    def put(self, user_id: str, entry: InboxEntry) -> None:
        assert can_have_inbox(user_id)
        self._entries.setdefault((user_id, entry.notification_id), entry)

    def holds(self, user_id: str, notification_id: str) -> bool:
        assert can_have_inbox(user_id)
        return (user_id, notification_id) in self._entries

    def mark_read(self, user_id: str, notification_ids: Sequence[str], at: datetime) -> int:
        return self._mark_named(user_id, notification_ids, read_at=at)

    def mark_archived(self, user_id: str, notification_ids: Sequence[str], at: datetime) -> int:
        return self._mark_named(user_id, notification_ids, archived_at=at)

    def mark_all_read(self, user_id: str, at: datetime) -> None:
        self._mark_delivered(user_id, at, read_at=at)

    def mark_seen(self, user_id: str, at: datetime) -> None:
        self._mark_delivered(user_id, at)

    def delete(self, user_id: str, notification_ids: Sequence[str]) -> None:
        for each in notification_ids:
            self._entries.pop((user_id, each), None)

    def erase(self, user_id: str, until: datetime, now: datetime) -> None:  # noqa: ARG002 - the port's signature
        self._erased[user_id] = max(until, self._erased.get(user_id, until))
        for key, entry in list(self._entries.items()):
            if key[0] == user_id and entry.accepted_at <= until:
                del self._entries[key]

    def erased_until(self, user_id: str) -> datetime | None:
        return self._erased.get(user_id)

    def entries(self, user_id: str) -> dict[str, InboxEntry]:
        """The entries of a user, by notification id."""
        return {key[1]: entry for key, entry in self._entries.items() if key[0] == user_id}

    def _mark_named(self, user_id: str, notification_ids: Sequence[str], **marks: datetime) -> int:
        keys = {(user_id, notification_id) for notification_id in notification_ids}
        for key in keys & self._entries.keys():
            self._mark(key, **marks)
        return len(keys - self._entries.keys())

    def _mark_delivered(self, user_id: str, until: datetime, **marks: datetime) -> None:
        for key, entry in self._entries.items():
            if key[0] == user_id and entry.delivered_at <= until:
                self._mark(key, **marks, seen_at=until)

    def _mark(self, key: tuple[str, str], **marks: datetime) -> None:
        entry = self._entries[key]
        self._entries[key] = dataclasses.replace(
            entry,
            seen_at=entry.seen_at or min(marks.values()),
            read_at=entry.read_at or marks.get("read_at"),
            archived_at=entry.archived_at or marks.get("archived_at"),
        )


class ScriptedProvider:
    """Gives its answers in turn and repeats the last one. Keeps the deliveries that it got."""

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
