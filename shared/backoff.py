"""How long to wait before what failed is tried again: twice as long each time, and spread. Pure."""

from collections.abc import Callable
from datetime import timedelta

_MAX_DOUBLINGS = 16
SPREAD = 0.2
"""The most that is added at random, as a share of the wait."""


def backoff(shortest: timedelta, longest: timedelta, failures: int, random: Callable[[], float]) -> timedelta:
    """The wait after ``failures`` failures, of which the first is 1.

    ``shortest`` doubled with each further failure, at most ``longest``, and up to a fifth more: what failed together is
    not tried again together. ``random`` returns numbers from 0 to 1.

    >>> waits = [backoff(timedelta(seconds=10), timedelta(minutes=1), failures, lambda: 0.0) for failures in (1, 2, 4)]
    >>> [wait.total_seconds() for wait in waits]
    [10.0, 20.0, 60.0]
    """
    wait = min(shortest * (1 << min(failures - 1, _MAX_DOUBLINGS)), longest)
    return wait * (1 + SPREAD * random())
