"""Takes the tokens of scheduled deliveries on limited channels when they are due.

Everything else took its token when it was accepted.
"""

from collections.abc import Sequence
from datetime import datetime

from postgres.pool import Pool
from publisher_api.deliveries.service import record_outcomes
from publisher_api.limits.model import Limits
from publisher_api.limits.service import take
from publisher_api.limits.tokens import Claim
from publisher_api.outbox import store
from publisher_api.outbox.endings import beyond_the_limit
from publisher_api.planning.limit import bucket_of_channel, takes_its_token_when_due, the_channel_sends_later


def within_limits(pool: Pool, claimed: Sequence[store.Claimed], limits: Limits, now: datetime) -> list[store.Claimed]:
    """The deliveries to publish now. The others wait for their token, or end when they would expire before.

    A delivery that cannot be published after this takes another token at the next sweep. Raises ``psycopg.Error``.
    """
    scheduled = [
        (delivery, bucket)
        for notification, delivery in claimed
        if takes_its_token_when_due(delivery, notification.accepted_at)
        and (bucket := bucket_of_channel(delivery, limits)) is not None
    ]
    if not scheduled:
        return list(claimed)
    taken = take(pool, [Claim(channels=[bucket]) for _, bucket in scheduled])
    decided = [
        the_channel_sends_later(delivery, wait, now)
        for (delivery, _), grant in zip(scheduled, taken.grants, strict=True)
        for wait in grant.waits
        if wait is None or wait
    ]
    waiting = [delivery for delivery in decided if delivery.status == "pending"]
    if waiting:
        with pool.connection() as connection:
            store.defer(connection, waiting, now)
    record_outcomes(pool, [beyond_the_limit(delivery, now) for delivery in decided if delivery.status == "suppressed"])
    held_back = {delivery.delivery_id for delivery in decided}
    return [each for each in claimed if each[1].delivery_id not in held_back]
