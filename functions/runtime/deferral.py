"""How long the deliveries of a failing receiver wait, and when they are given up. Pure.

A transport counts failures by subscription: Pub/Sub delivers everything in a subscription more slowly while messages of
it are refused. That is right where all deliveries go to one provider, and wrong where each receiver has its own server
(webhooks): one receiver that fails would slow all others. So the deliveries of such a receiver wait in the outbox.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.runtime.ledger import cooldown
from shared.backoff import backoff
from shared.errors import Retryable, StillSending


@dataclass(frozen=True, slots=True)
class Deferral:
    """The waits of a channel type, as ``shared.backoff`` has them.

    A delivery is dead when ``attempts`` attempts have failed. ``lease`` is how long a claim holds.
    """

    attempts: int
    shortest: timedelta
    longest: timedelta
    lease: timedelta
    random: Callable[[], float]

    def is_over(self, deferrals: int) -> bool:
        """Whether the attempt after ``deferrals`` deferrals was the last."""
        return deferrals + 1 >= self.attempts

    def until(self, error: Retryable, deferrals: int, unconfirmed_attempts: int, now: datetime) -> datetime:
        """When the next attempt is made. Not before the ledger admits it.

        ``deferrals`` and ``unconfirmed_attempts`` count what was before the attempt that ended with ``error``.
        """
        wait = backoff(self.shortest, self.longest, deferrals + 1, self.random)
        if isinstance(error, StillSending):
            wait = max(wait, self.lease)
        elif error.ambiguous:
            wait = max(wait, cooldown(unconfirmed_attempts + 1))
        return now + wait
