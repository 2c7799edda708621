"""The contract of ``Ledger``: over the fake, over Postgres and over Firestore."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from functions.google.ledger import FirestoreLedger
from functions.postgres.ledger import LedgerTable, PostgresLedger
from functions.runtime.ledger import Claim, Claimed, ClaimedByOther, CoolingDown, Finished, NoLedger, Unfinished
from functions.runtime.ports import Ledger
from tests.factories import NOON, make_outcome
from tests.fakes import MemoryLedger

LEASE = timedelta(seconds=90)
LATER = NOON + LEASE
OUTCOME = make_outcome(detail="✓")
KEY = "d.1"
STORES = ["postgres", pytest.param("firestore", marks=pytest.mark.emulators)]


def claimed(claim: Claim) -> Claimed:
    assert isinstance(claim, Claimed)
    return claim


def stored(name: str, request: pytest.FixtureRequest) -> Ledger:
    """The ledger of one more process, in the store ``name``."""
    if name == "postgres":
        return PostgresLedger(LedgerTable(request.getfixturevalue("state")), LEASE)
    return FirestoreLedger(request.getfixturevalue("firestore"), LEASE)


@pytest.fixture(params=["memory", *STORES])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    return MemoryLedger(LEASE) if request.param == "memory" else stored(request.param, request)


@pytest.fixture(params=STORES)
def ledgers(request: pytest.FixtureRequest) -> list[Ledger]:
    """The ledgers of eight processes, in one store."""
    return [stored(request.param, request) for _ in range(8)]


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


def race(claim: Callable[[int], Claim]) -> list[type]:
    """What eight threads get that claim at the same time."""
    with ThreadPoolExecutor(8) as threads:
        return sorted((type(each) for each in threads.map(claim, range(8))), key=lambda each: each.__name__)


class TestConcurrentClaims:
    def test_one_of_many_concurrent_claims_succeeds(self, ledger: Ledger) -> None:
        assert race(lambda _: ledger.claim(KEY, NOON)) == [Claimed] + [ClaimedByOther] * 7

    def test_one_of_many_concurrent_takeovers_succeeds(self, ledger: Ledger) -> None:
        ledger.claim(KEY, NOON)
        assert race(lambda _: ledger.claim(KEY, LATER)) == [Claimed] + [ClaimedByOther] * 7

    def test_one_of_many_processes_takes_a_claim_over(self, ledgers: list[Ledger]) -> None:
        # Each ledger of Postgres gathers its own claims, so one alone would never let two statements meet.
        ledgers[0].claim(KEY, NOON)
        assert race(lambda number: ledgers[number].claim(KEY, LATER)) == [Claimed] + [ClaimedByOther] * 7


def test_no_ledger_lets_every_attempt_through() -> None:
    ledger: Ledger = NoLedger()
    ledger.finish(claimed(ledger.claim(KEY, NOON)), OUTCOME)
    assert not claimed(ledger.claim(KEY, NOON)).possible_duplicate
    assert ledger.look_up(KEY) == Unfinished(possible_duplicate=False)
