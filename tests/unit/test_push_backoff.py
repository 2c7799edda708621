"""The local push back-off has the values that Google documents."""

import time

import pytest

from local.push_backoff import PushBackoff


@pytest.mark.parametrize(
    ("refused_of_five", "shortest", "longest"), [(0, 0.0, 0.0), (1, 0.3, 0.7), (5, 30.0, 60.0)], ids=str
)
def test_pause_grows_with_the_share_of_refused_pushes(refused_of_five: int, shortest: float, longest: float) -> None:
    backoff = PushBackoff(1.0)
    for number in range(200):
        backoff.pushed(acknowledged=number % 5 >= refused_of_five)
        if number % 5 < refused_of_five and number > 100:
            assert shortest <= backoff.pause_seconds <= longest
    if not refused_of_five:
        assert backoff.pause_seconds == 0


def test_pause_ends_after_many_acknowledged_pushes() -> None:
    backoff = PushBackoff(1.0)
    backoff.pushed(acknowledged=False)
    assert backoff.pause_seconds > 0
    for _ in range(50):
        backoff.pushed(acknowledged=True)
    assert backoff.pause_seconds == 0


def test_after_a_refusal_every_push_waits_for_the_pause() -> None:
    backoff = PushBackoff(0.5)
    assert not backoff.wait()
    started = time.monotonic()
    backoff.pushed(acknowledged=False)
    pause = backoff.pause_seconds
    assert backoff.wait()
    assert time.monotonic() - started >= pause > 0
    assert not backoff.wait()
