"""Checks that the clocks agree: tokens are accepted, and times are comparable, only if they do."""

from collections.abc import Iterator
from datetime import timedelta

from doctor.facts import Clock, Clocks
from doctor.finding import Finding, failed, ok, skipped
from doctor.remedies import Fault, Remedies

# A third of the leeway that the publisher allows for the times in Google's tokens.
TOLERANCE = timedelta(seconds=10)


def check_clocks(found: Clocks, remedies: Remedies) -> Iterator[Finding]:
    """Google's clock is the reference. Without it, this machine's clock is."""
    if found.google is None:
        yield skipped("clock of this machine: there is no clock of Google to compare with")
    elif abs(found.google.ahead) > TOLERANCE:
        offset = _describe(-found.google.ahead)
        yield failed(f"clock of this machine is {offset} Google's", remedies[Fault.CLOCK_OFF])
    else:
        yield ok("clock of this machine agrees with Google's")
    reference_ahead = found.google.ahead if found.google else timedelta()
    reference = "Google's" if found.google else "this machine's"
    yield _compare("the publisher", found.publisher, reference_ahead, reference, remedies[Fault.PUBLISHER_FAILS])
    yield _compare("Postgres", found.postgres, reference_ahead, reference, remedies[Fault.CLOCK_OFF])


def _compare(owner: str, clock: Clock | None, reference_ahead: timedelta, reference: str, fix: str) -> Finding:
    if clock is None:
        return skipped(f"clock of {owner}: it did not respond")
    ahead = clock.ahead - reference_ahead
    if abs(ahead) > TOLERANCE:
        return failed(f"clock of {owner} is {_describe(ahead)} {reference}", fix)
    return ok(f"clock of {owner} agrees with {reference}")


def _describe(ahead: timedelta) -> str:
    seconds = round(abs(ahead).total_seconds())
    return f"{seconds} s {'ahead of' if ahead > timedelta() else 'behind'}"
