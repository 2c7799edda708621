"""The sweeper's chores: each when it is due, within its time, and again at once while there is more."""

from datetime import datetime, timedelta
from itertools import count

import psycopg
import pytest

from publisher_api.outbox.chores import Chore, Chores
from tests.factories import NOON

BUDGET = timedelta(seconds=1)


def ran(answers: list[bool], minutes: range, steps_of_a_sweep: int = 1) -> list[int]:
    """The minutes in which a chore of every ten minutes ran, that answers these."""
    found: list[datetime] = []

    def run(now: datetime) -> bool:
        found.append(now)
        return answers.pop(0) if answers else False

    chore = Chore("test", run, timedelta(minutes=10))
    timer = (number / steps_of_a_sweep for number in count())
    chores = Chores((chore,), BUDGET, lambda: next(timer))
    for minute in minutes:
        chores.run(NOON + timedelta(minutes=minute))
    return [(at - NOON) // timedelta(minutes=1) for at in found]


def test_a_chore_runs_at_first_and_after_its_time() -> None:
    assert ran([], range(25)) == [0, 10, 20]


def test_a_chore_that_has_more_runs_again_at_the_next_sweep() -> None:
    assert ran([True, True], range(25)) == [0, 1, 2, 12, 22]


def test_a_chore_that_has_more_goes_on_until_its_time_is_used() -> None:
    assert ran([True] * 5, range(25), steps_of_a_sweep=3) == [0, 0, 0, 1, 1, 1, 11, 21]


@pytest.mark.parametrize("error", [psycopg.OperationalError("away"), ZeroDivisionError()])
def test_a_chore_that_fails_stops_no_other_and_is_logged(caplog: pytest.LogCaptureFixture, error: Exception) -> None:
    def fail(_now: datetime) -> bool:
        raise error

    done: list[datetime] = []

    def work(now: datetime) -> bool:
        done.append(now)
        return False

    every = timedelta(minutes=10)
    chores = Chores((Chore("broken", fail, every), Chore("works", work, every)), BUDGET)
    for minutes in (0, 5, 10):
        chores.run(NOON + timedelta(minutes=minutes))
    assert len(done) == 2
    logged = [(vars(record)["event"], vars(record)["chore"]) for record in caplog.records]
    assert logged == [("chore.failed", "broken")] * 2
