"""The contract of ``Ledger``, for the fake, for Firestore and for Postgres."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import uuid_utils
from google.cloud.firestore import Client

from functions.google.ledger import COLLECTION, FirestoreLedger, document_of
from functions.postgres.ledger import LedgerTable, PostgresLedger
from functions.runtime.ledger import Claim, Claimed, ClaimedByOther, CoolingDown, Finished, NoLedger, Unfinished
from functions.runtime.ports import Ledger
from postgres.pool import Pool, make_pool
from shared.errors import Retryable
from shared.reasons import Reason
from tests.factories import NOON, make_outcome
from tests.fakes import MemoryLedger

LEASE = timedelta(seconds=90)
LATER = NOON + LEASE
OUTCOME = make_outcome(detail="✓")
KEY = "d.1"


def claimed(claim: Claim) -> Claimed:
    assert isinstance(claim, Claimed)
    return claim


STORES = ["postgres", pytest.param("firestore", marks=pytest.mark.emulators)]


def stored(name: str, request: pytest.FixtureRequest) -> Ledger:
    """The ledger in the store ``name``."""
    if name == "postgres":
        return PostgresLedger(LedgerTable(request.getfixturevalue("state")), LEASE)
    return FirestoreLedger(request.getfixturevalue("firestore"), LEASE)


@pytest.fixture(params=["memory", *STORES])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    return MemoryLedger(LEASE) if request.param == "memory" else stored(request.param, request)


@pytest.fixture(params=STORES)
def stored_ledger(request: pytest.FixtureRequest) -> Ledger:
    return stored(request.param, request)


class TestLedger:
    def test_new_key_can_be_claimed(self, ledger: Ledger) -> None:
        assert not claimed(ledger.claim(KEY, NOON)).possible_duplicate

    def test_live_claim_excludes_other_workers(self, ledger: Ledger) -> None:
        ledger.claim(KEY, NOON)
        assert isinstance(ledger.claim(KEY, LATER - timedelta(microseconds=1)), ClaimedByOther)

    def test_keys_are_independent(self, ledger: Ledger) -> None:
        ledger.claim(KEY, NOON)
        assert isinstance(ledger.claim("d.2", NOON), Claimed)

    def test_expired_lease_is_taken_over_as_a_possible_duplicate(self, ledger: Ledger) -> None:
        ledger.claim(KEY, NOON)
        assert claimed(ledger.claim(KEY, LATER)).possible_duplicate
        assert isinstance(ledger.claim(KEY, LATER), ClaimedByOther)

    def test_released_key_can_be_claimed_at_once(self, ledger: Ledger) -> None:
        ledger.release(claimed(ledger.claim(KEY, NOON)), NOON, ambiguous=False)
        assert not claimed(ledger.claim(KEY, NOON)).possible_duplicate

    def test_cooldown_doubles_with_every_ambiguous_attempt(self, ledger: Ledger) -> None:
        at = NOON
        for seconds in (15, 30, 60):
            ledger.release(claimed(ledger.claim(KEY, at)), at, ambiguous=True)
            until = at + timedelta(seconds=seconds)
            assert ledger.claim(KEY, until - timedelta(microseconds=1)) == CoolingDown(until)
            at = until

    def test_unconfirmed_attempt_is_not_forgotten(self, ledger: Ledger) -> None:
        ledger.release(claimed(ledger.claim(KEY, NOON)), NOON, ambiguous=True)
        ledger.release(claimed(ledger.claim(KEY, LATER)), LATER, ambiguous=False)
        assert claimed(ledger.claim(KEY, LATER)).possible_duplicate

    def test_finished_key_returns_its_outcome(self, ledger: Ledger) -> None:
        ledger.finish(claimed(ledger.claim(KEY, NOON)), OUTCOME)
        assert ledger.claim(KEY, NOON) == Finished(OUTCOME)
        assert ledger.claim(KEY, LATER) == Finished(OUTCOME)

    def test_claim_that_was_taken_over_cannot_be_released(self, ledger: Ledger) -> None:
        lost = claimed(ledger.claim(KEY, NOON))
        ledger.claim(KEY, LATER)
        ledger.release(lost, LATER, ambiguous=False)
        assert isinstance(ledger.claim(KEY, LATER), ClaimedByOther)

    def test_claim_that_was_taken_over_can_be_finished(self, ledger: Ledger) -> None:
        lost = claimed(ledger.claim(KEY, NOON))
        taken = claimed(ledger.claim(KEY, LATER))
        ledger.finish(lost, OUTCOME)
        ledger.release(taken, LATER, ambiguous=False)
        assert ledger.claim(KEY, LATER) == Finished(OUTCOME)

    def test_look_up_returns_the_outcome_or_whether_the_person_may_have_been_reached(self, ledger: Ledger) -> None:
        assert ledger.look_up(KEY) == Unfinished(possible_duplicate=False)
        claim = claimed(ledger.claim(KEY, NOON))
        assert ledger.look_up(KEY) == Unfinished(possible_duplicate=True)
        ledger.release(claim, NOON, ambiguous=False)
        assert ledger.look_up(KEY) == Unfinished(possible_duplicate=False)
        ledger.release(claimed(ledger.claim(KEY, NOON)), NOON, ambiguous=True)
        assert ledger.look_up(KEY) == Unfinished(possible_duplicate=True)
        ledger.finish(claimed(ledger.claim(KEY, LATER)), OUTCOME)
        assert ledger.look_up(KEY) == Finished(OUTCOME)

    def test_look_up_claims_nothing(self, ledger: Ledger) -> None:
        ledger.look_up(KEY)
        assert not claimed(ledger.claim(KEY, NOON)).possible_duplicate


class TestConcurrentClaims:
    """What only a real ledger can show."""

    def race(self, claim: Callable[[int], Claim]) -> list[type]:
        with ThreadPoolExecutor(8) as threads:
            return sorted((type(each) for each in threads.map(claim, range(8))), key=lambda each: each.__name__)

    def test_one_of_many_concurrent_claims_succeeds(self, stored_ledger: Ledger) -> None:
        assert self.race(lambda _: stored_ledger.claim(KEY, NOON)) == [Claimed] + [ClaimedByOther] * 7

    def test_one_of_many_concurrent_takeovers_succeeds(self, stored_ledger: Ledger) -> None:
        stored_ledger.claim(KEY, NOON)
        assert self.race(lambda _: stored_ledger.claim(KEY, LATER)) == [Claimed] + [ClaimedByOther] * 7

    def test_one_of_many_processes_takes_a_claim_over(self, state: Pool) -> None:
        ledgers = [PostgresLedger(LedgerTable(state), LEASE) for _ in range(8)]  # each gathers its own claims
        ledgers[0].claim(KEY, NOON)
        assert self.race(lambda number: ledgers[number].claim(KEY, LATER)) == [Claimed] + [ClaimedByOther] * 7


@pytest.mark.emulators
class TestFirestoreLedger:
    """What is Firestore's own."""

    def test_document_has_an_expiry_time(self, firestore: Client) -> None:
        FirestoreLedger(firestore, LEASE).claim(KEY, NOON)
        assert document_of(firestore, KEY).get().get("expire_at") > NOON + timedelta(days=7)

    def test_no_field_is_indexed(self, firestore: Client) -> None:
        # No query uses them, and an index on a value that grows with time is a hot range.
        ledger = FirestoreLedger(firestore, LEASE)
        ledger.finish(claimed(ledger.claim(KEY, NOON)), OUTCOME)
        declared = json.loads((Path(__file__).parents[2] / "firestore.ledger.indexes.json").read_bytes())[
            "fieldOverrides"
        ]
        bare = {each["fieldPath"] for each in declared if each["collectionGroup"] == COLLECTION and not each["indexes"]}
        assert set(document_of(firestore, KEY).get().to_dict() or {}) == bare

    def test_keys_of_one_moment_are_spread_over_the_collection(self, firestore: Client) -> None:
        ids = {document_of(firestore, f"{uuid_utils.uuid7()}.0").id for _ in range(500)}
        assert len({each[0] for each in ids}) == 16


def test_unavailable_ledger_is_retryable(monkeypatch: pytest.MonkeyPatch, nowhere: str) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", nowhere)
    with pytest.raises(Retryable, match=r"ServiceUnavailable|RetryError|DeadlineExceeded") as caught:
        FirestoreLedger(Client(project="p"), LEASE).claim(KEY, NOON)
    assert caught.value.reason == Reason.LEDGER_UNAVAILABLE


def test_unavailable_postgres_is_retryable(tmp_path: Path) -> None:
    with make_pool(f"postgresql://none@/none?host={tmp_path}", 1) as pool, pytest.raises(Retryable) as caught:
        PostgresLedger(LedgerTable(pool), LEASE).claim(KEY, NOON)
    assert caught.value.reason == Reason.LEDGER_UNAVAILABLE


def test_no_ledger_lets_every_attempt_through() -> None:
    ledger: Ledger = NoLedger()
    ledger.finish(claimed(ledger.claim(KEY, NOON)), OUTCOME)
    assert not claimed(ledger.claim(KEY, NOON)).possible_duplicate
    assert ledger.look_up(KEY) == Unfinished(possible_duplicate=False)
