"""The sweeper's chores: each when it is due, and again at once while there is more."""

from datetime import datetime, timedelta

from publisher_api.outbox.chores import Chore, Chores
from tests.factories import NOON


def ran(answers: list[bool], minutes: range) -> list[int]:
    """The minutes in which a chore of every ten minutes ran, that answers these."""
    found: list[datetime] = []

    def run(now: datetime) -> bool:
        found.append(now)
        return answers.pop(0) if answers else False

    chores = Chores((Chore(run, timedelta(minutes=10)),))
    for minute in minutes:
        chores.run(NOON + timedelta(minutes=minute))
    return [(at - NOON) // timedelta(minutes=1) for at in found]


def test_a_chore_runs_at_first_and_after_its_time() -> None:
    assert ran([], range(25)) == [0, 10, 20]


def test_a_chore_that_has_more_runs_again_at_the_next_sweep() -> None:
    assert ran([True, True], range(25)) == [0, 1, 2, 12, 22]
