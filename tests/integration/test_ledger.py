"""The ledger's contract, held by the real one and by the fake alike."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import uuid_utils
from google.cloud.firestore import Client

from functions.runtime.ledger import (
    COLLECTION,
    Claimed,
    Finished,
    FirestoreLedger,
    Held,
    Ledger,
    Resting,
    Unfinished,
    document_of,
    look_up,
)
from shared.errors import Retryable
from tests.factories import NOON, make_outcome
from tests.fakes import MemoryLedger

LEASE = timedelta(seconds=90)
LATER = NOON + LEASE
OUTCOME = make_outcome(detail="✓")


def claimed(claim: Claimed | Held | Resting | Finished) -> Claimed:
    assert isinstance(claim, Claimed)
    return claim


@pytest.fixture(params=["memory", pytest.param("firestore", marks=pytest.mark.emulators)])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    if request.param == "memory":
        return MemoryLedger(LEASE)
    return FirestoreLedger(Client(project=request.getfixturevalue("project")), LEASE)


class TestLedger:
    def test_a_new_key_is_claimed(self, ledger: Ledger) -> None:
        assert not claimed(ledger.claim("d.1", NOON)).uncertain

    def test_a_live_claim_is_held(self, ledger: Ledger) -> None:
        ledger.claim("d.1", NOON)
        assert isinstance(ledger.claim("d.1", LATER - timedelta(microseconds=1)), Held)

    def test_keys_do_not_know_each_other(self, ledger: Ledger) -> None:
        ledger.claim("d.1", NOON)
        assert isinstance(ledger.claim("d.2", NOON), Claimed)

    def test_a_dead_lease_is_taken_over_and_uncertain(self, ledger: Ledger) -> None:
        ledger.claim("d.1", NOON)
        assert claimed(ledger.claim("d.1", LATER)).uncertain
        assert isinstance(ledger.claim("d.1", LATER), Held)

    def test_a_released_claim_can_be_had_at_once(self, ledger: Ledger) -> None:
        ledger.release(claimed(ledger.claim("d.1", NOON)), NOON, uncertain=False)
        assert not claimed(ledger.claim("d.1", NOON)).uncertain

    def test_what_may_have_arrived_rests_longer_every_time(self, ledger: Ledger) -> None:
        at = NOON
        for seconds in (15, 30, 60):
            ledger.release(claimed(ledger.claim("d.1", at)), at, uncertain=True)
            until = at + timedelta(seconds=seconds)
            assert ledger.claim("d.1", until - timedelta(microseconds=1)) == Resting(until)
            at = until

    def test_what_is_uncertain_stays_uncertain(self, ledger: Ledger) -> None:
        ledger.release(claimed(ledger.claim("d.1", NOON)), NOON, uncertain=True)
        ledger.release(claimed(ledger.claim("d.1", LATER)), LATER, uncertain=False)
        assert claimed(ledger.claim("d.1", LATER)).uncertain

    def test_a_finished_key_gives_its_outcome(self, ledger: Ledger) -> None:
        ledger.finish(claimed(ledger.claim("d.1", NOON)), OUTCOME)
        assert ledger.claim("d.1", NOON) == Finished(OUTCOME)
        assert ledger.claim("d.1", LATER) == Finished(OUTCOME)

    def test_a_claim_that_was_taken_over_cannot_be_released(self, ledger: Ledger) -> None:
        lost = claimed(ledger.claim("d.1", NOON))
        ledger.claim("d.1", LATER)
        ledger.release(lost, LATER, uncertain=False)
        assert isinstance(ledger.claim("d.1", LATER), Held)

    def test_a_claim_that_was_taken_over_can_be_finished(self, ledger: Ledger) -> None:
        lost = claimed(ledger.claim("d.1", NOON))
        taken = claimed(ledger.claim("d.1", LATER))
        ledger.finish(lost, OUTCOME)
        ledger.release(taken, LATER, uncertain=False)
        assert ledger.claim("d.1", LATER) == Finished(OUTCOME)


@pytest.mark.emulators
class TestFirestoreLedger:
    """What only the real one can show."""

    def race(self, claim: Callable[[int], Claimed | Held | Resting | Finished]) -> list[type]:
        with ThreadPoolExecutor(8) as threads:
            return sorted((type(each) for each in threads.map(claim, range(8))), key=lambda each: each.__name__)

    def test_of_many_that_claim_at_once_one_has_it(self, project: str) -> None:
        ledger = FirestoreLedger(Client(project=project), LEASE)
        assert self.race(lambda _: ledger.claim("d.1", NOON)) == [Claimed] + [Held] * 7

    def test_of_many_that_take_over_at_once_one_has_it(self, project: str) -> None:
        ledger = FirestoreLedger(Client(project=project), LEASE)
        ledger.claim("d.1", NOON)
        assert self.race(lambda _: ledger.claim("d.1", LATER)) == [Claimed] + [Held] * 7

    def test_a_document_ends_by_itself(self, project: str) -> None:
        client = Client(project=project)
        ledger = FirestoreLedger(client, LEASE)
        ledger.claim("d.1", NOON)
        assert document_of(client, "d.1").get().get("expire_at") > NOON + timedelta(days=7)

    def test_no_field_is_indexed(self, project: str) -> None:
        # Nobody asks for them, and an index of what grows with time is a hot range.
        client = Client(project=project)
        ledger = FirestoreLedger(client, LEASE)
        ledger.finish(claimed(ledger.claim("d.1", NOON)), OUTCOME)
        declared = json.loads((Path(__file__).parents[2] / "firestore.indexes.json").read_bytes())["fieldOverrides"]
        bare = {each["fieldPath"] for each in declared if each["collectionGroup"] == COLLECTION and not each["indexes"]}
        assert set(document_of(client, "d.1").get().to_dict() or {}) == bare

    def test_keys_of_one_moment_are_spread_over_the_collection(self, project: str) -> None:
        client = Client(project=project)
        ids = {document_of(client, f"{uuid_utils.uuid7()}.0").id for _ in range(500)}
        assert len({each[0] for each in ids}) == 16

    def test_who_only_looks_learns_the_end_or_whether_the_person_may_have_been_reached(self, project: str) -> None:
        client = Client(project=project)
        ledger = FirestoreLedger(client, LEASE)
        assert look_up(client, "d.1") == Unfinished(uncertain=False)
        claim = claimed(ledger.claim("d.1", NOON))
        assert look_up(client, "d.1") == Unfinished(uncertain=True)
        ledger.release(claim, NOON, uncertain=False)
        assert look_up(client, "d.1") == Unfinished(uncertain=False)
        ledger.release(claimed(ledger.claim("d.1", NOON)), NOON, uncertain=True)
        assert look_up(client, "d.1") == Unfinished(uncertain=True)
        ledger.finish(claimed(ledger.claim("d.1", LATER)), OUTCOME)
        assert look_up(client, "d.1") == Finished(OUTCOME)


def test_a_ledger_that_is_away_is_retryable(monkeypatch: pytest.MonkeyPatch, nowhere: str) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", nowhere)
    with pytest.raises(Retryable, match=r"ServiceUnavailable|RetryError|DeadlineExceeded"):
        FirestoreLedger(Client(project="p"), LEASE).claim("d.1", NOON)
