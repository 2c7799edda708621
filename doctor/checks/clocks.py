"""Clocks: close enough to each other for tokens to be believed and times to be compared."""

from collections.abc import Iterator
from datetime import timedelta

from doctor.facts import Clock, Clocks
from doctor.finding import Finding, fine, not_examined, wrong
from doctor.mending import Mending

# A third of the leeway that the publisher gives to Google's tokens.
TOLERANCE = timedelta(seconds=10)


def check_clocks(found: Clocks, mending: Mending) -> Iterator[Finding]:
    """Google's clock is taken as right; without it, this machine's."""
    if found.google is None:
        yield not_examined("clock of this machine: Google's is not there to compare with")
    elif abs(found.google.ahead) > TOLERANCE:
        yield wrong(f"clock of this machine is {_off(-found.google.ahead)} Google's", mending.set_clock())
    else:
        yield fine("clock of this machine agrees with Google's")
    right = found.google.ahead if found.google else timedelta()
    reference = "Google's" if found.google else "this machine's"
    yield _compare("the publisher", found.publisher, right, reference, mending.restart_publisher())
    yield _compare("Postgres", found.postgres, right, reference, mending.set_clock())


def _compare(whose: str, clock: Clock | None, right: timedelta, reference: str, mend: str) -> Finding:
    if clock is None:
        return not_examined(f"clock of {whose}: it did not answer")
    ahead = clock.ahead - right
    if abs(ahead) > TOLERANCE:
        return wrong(f"clock of {whose} is {_off(ahead)} {reference}", mend)
    return fine(f"clock of {whose} agrees with {reference}")


def _off(ahead: timedelta) -> str:
    seconds = round(abs(ahead).total_seconds())
    return f"{seconds} s {'ahead of' if ahead > timedelta() else 'behind'}"
