"""Takes tokens for what is about to be accepted: builds the claims, and applies what was granted. Pure.

Only what is new takes tokens: neither a refused item, nor one that leads to what exists.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from publisher_api.accept.model import AcceptRequest
from publisher_api.accept.submission import Prepared
from publisher_api.configuration import Configuration
from publisher_api.limits.model import LimitReached, Quota
from publisher_api.limits.tokens import Bucket, Claim, Taken, quota_of, seconds_until
from publisher_api.planning.limit import claim_of, limited
from publisher_api.planning.plan import Plan
from publisher_api.refusal import RefusalCode


class Place(NamedTuple):
    """The positions of a request, and of an item in it."""

    request: int
    item: int


@dataclass(frozen=True, slots=True)
class Limiting:
    """The claims of a list of requests, and the place of each."""

    claims: Sequence[Claim]
    places: Sequence[Place]
    prepared: Sequence[Sequence[Prepared]]
    configuration: Configuration

    def apply(self, taken: Taken) -> tuple[list[list[Prepared]], dict[int, Quota]]:
        """What was prepared, with a refusal or a limited plan where a bucket had no token.

        Also what is left of the limits of producers, by the position of the request.
        """
        prepared = [list(plans) for plans in self.prepared]
        quotas: dict[int, Quota] = {}
        refused: dict[str, int] = defaultdict(int)  # tokens of what was refused, by bucket
        refusals: dict[int, LimitReached] = {}  # by the position of the claim
        for position, (claim, place, grant) in enumerate(zip(self.claims, self.places, taken.grants, strict=True)):
            if claim.producer is not None and place.request not in quotas:
                quotas[place.request] = quota_of(claim.producer.limit, taken.owed[claim.producer.key])
            planned = prepared[place.request][place.item]
            if not isinstance(planned, Plan):
                raise TypeError("only a plan has a claim")
            if not grant.refused_by_producer:
                prepared[place.request][place.item] = limited(planned, grant, self.configuration.limits)
                continue
            if claim.producer is not None:
                refused[claim.producer.key] += claim.producer_tokens
                owed, ahead = taken.owed[claim.producer.key], refused[claim.producer.key]
                refusals[position] = _refusal(claim.producer, claim.producer_tokens, owed, ahead)
            elif claim.after is not None:
                refusals[position] = refusals[claim.after]
            prepared[place.request][place.item] = refusals[position]
        return prepared, quotas


def limiting(
    requests: Sequence[AcceptRequest], prepared: Sequence[Sequence[Prepared]], configuration: Configuration
) -> Limiting:
    """What these requests take. A request with an Idempotency-Key gets the tokens for all of its items, or none.

    Otherwise the key would answer for a day with a refusal that was only temporary.
    """
    claims: list[Claim] = []
    places: list[Place] = []
    for number, (request, plans) in enumerate(zip(requests, prepared, strict=True)):
        found = {item: planned for item, planned in enumerate(plans) if isinstance(planned, Plan)}
        first = len(claims)
        for item, planned in found.items():
            claim = claim_of(planned, request.producer, configuration)
            if request.key is not None and claim.producer is not None:
                if len(claims) == first:
                    claim = msgspec.structs.replace(claim, producer_tokens=len(found))
                else:
                    claim = msgspec.structs.replace(claim, producer=None, after=first)
            if claim.takes_anything:
                claims.append(claim)
                places.append(Place(number, item))
    return Limiting(claims, places, prepared, configuration)


def _refusal(bucket: Bucket, tokens: int, owed: int, ahead: int) -> LimitReached:
    """The refusal of a claim. ``ahead``: the tokens of what was refused in this bucket until now, with this claim."""
    limit, quota = bucket.limit, quota_of(bucket.limit, owed)
    _, _, producer = bucket.key.partition(":")
    if tokens > limit.burst:
        detail = (
            f"A batch with an Idempotency-Key is accepted as a whole. This one has {tokens} new notifications, and the"
            f" limit of producer {producer!r} allows {limit.burst} at once. Send it in smaller parts."
        )
        return LimitReached(RefusalCode.TOO_LARGE, detail, quota=quota)
    seconds = max(1, seconds_until(limit, owed, min(ahead, limit.burst)))
    detail = (
        f"Producer {producer!r} may send {limit.limit} notifications in {limit.window_seconds} s."
        f" Nothing of this is stored. Send it again in {seconds} s."
    )
    return LimitReached(RefusalCode.RATE_LIMITED, detail, quota=quota, retry_after_seconds=seconds)
