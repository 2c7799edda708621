"""The wait before another attempt: twice as long each time, limited, and spread."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backoff import backoff

SHORTEST, LONGEST = timedelta(seconds=10), timedelta(seconds=600)


@pytest.mark.parametrize(("failures", "seconds"), [(1, 10), (2, 20), (3, 40), (6, 320), (7, 600), (100, 600)])
def test_wait_doubles_with_each_failure_up_to_the_longest(failures: int, seconds: float) -> None:
    assert backoff(SHORTEST, LONGEST, failures, lambda: 0.0) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("random", "seconds"), [(0.0, 20.0), (0.5, 22.0), (1.0, 24.0)])
def test_wait_is_spread_by_up_to_a_fifth(random: float, seconds: float) -> None:
    assert backoff(SHORTEST, LONGEST, 2, lambda: random) == timedelta(seconds=seconds)


@given(failures=st.integers(1, 10**9), random=st.floats(0, 1))
def test_wait_stays_between_the_shortest_and_a_fifth_more_than_the_longest(failures: int, random: float) -> None:
    assert SHORTEST <= backoff(SHORTEST, LONGEST, failures, lambda: random) <= LONGEST * 1.2


def test_no_backoff_is_no_wait() -> None:
    assert backoff(timedelta(), timedelta(), 5, lambda: 1.0) == timedelta()
