"""What is asked of buckets, and what they gave. Pure.

A bucket is a row in Postgres; ``take_tokens`` in the schema is the only code that changes one. Here are the values that
go in and come out, and what follows from them for a reader: how much is left, and when there is more.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import msgspec

from publisher_api.limits.model import Limit, Quota

_MICROSECONDS = 1_000_000


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket by its key. ``queue_seconds``: tokens that come within this time can be taken now, for that time."""

    key: str
    limit: Limit
    queue_seconds: int = 0


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What one notification takes: of its producer, of its user, and one token for each delivery on a limited channel.

    ``producer_tokens`` may be those of a whole request; the claims of its other items name the position of this one as
    ``after``, and are refused with it.
    """

    producer: Bucket | None = None
    producer_tokens: int = 1
    user: Bucket | None = None
    channels: Sequence[Bucket] = ()
    after: int | None = None

    @property
    def takes_anything(self) -> bool:
        return self.after is not None or any(self.buckets)

    @property
    def buckets(self) -> Iterator[Bucket]:
        yield from (bucket for bucket in (self.producer, self.user) if bucket is not None)
        yield from self.channels


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a claim. ``waits``: for each of its channels, when its token is there; None if it gets none.

    A claim that is refused takes nothing from the buckets that follow.
    """

    refused_by_producer: bool = False
    refused_by_user: bool = False
    waits: Sequence[timedelta | None] = ()


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A grant for each claim, and what each bucket owes afterwards, by its key: tokens times microseconds."""

    grants: Sequence[Grant]
    owed: dict[str, int]


class _Answer(msgspec.Struct, frozen=True):
    refused: list[int]
    waits: list[int]
    owed: list[int]


def encode(claims: Sequence[Claim]) -> bytes:
    """The argument of ``take_tokens``, as JSON."""
    buckets = _buckets_of(claims)
    position = {key: number for number, key in enumerate(buckets, start=1)}
    asked = {
        "buckets": [
            {
                "bucket": bucket.key,
                "limit": bucket.limit.limit,
                "window_us": bucket.limit.window_seconds * _MICROSECONDS,
                "burst": bucket.limit.burst,
                "queue_us": bucket.queue_seconds * _MICROSECONDS,
            }
            for bucket in buckets.values()
        ],
        "claims": [
            {
                "producer": position[claim.producer.key] if claim.producer else None,
                "amount": claim.producer_tokens,
                "user": position[claim.user.key] if claim.user else None,
                "channels": [position[channel.key] for channel in claim.channels],
                "after": claim.after + 1 if claim.after is not None else None,
            }
            for claim in claims
        ],
    }
    return msgspec.json.encode(asked)


def decode(answer: bytes | str, claims: Sequence[Claim]) -> Taken:
    """What ``take_tokens`` returned for these claims."""
    found = msgspec.json.decode(answer, type=_Answer)
    waits = iter(found.waits)
    grants = [
        Grant(
            refused_by_producer=refused == 1,
            refused_by_user=refused == 2,  # noqa: PLR2004 - as the function in the schema says
            waits=[_wait(next(waits)) for _ in claim.channels],
        )
        for claim, refused in zip(claims, found.refused, strict=True)
    ]
    return Taken(grants=grants, owed=dict(zip(_buckets_of(claims), found.owed, strict=True)))


def quota_of(limit: Limit, owed: int) -> Quota:
    """What is left in a bucket that owes ``owed``."""
    remaining = max(0, limit.burst - _ceil(owed, limit.window_seconds * _MICROSECONDS))
    reset_seconds = seconds_until(limit, owed, remaining + 1) if owed else 0
    return Quota(limit=limit, remaining=remaining, reset_seconds=reset_seconds)


def seconds_until(limit: Limit, owed: int, tokens: int) -> int:
    """When a bucket that owes ``owed`` holds so many tokens, in seconds from now, rounded up."""
    window = limit.window_seconds * _MICROSECONDS
    missing = owed + (tokens - limit.burst) * window
    return max(0, _ceil(missing, limit.limit * _MICROSECONDS))


def _buckets_of(claims: Sequence[Claim]) -> dict[str, Bucket]:
    return {bucket.key: bucket for claim in claims for bucket in claim.buckets}


def _wait(microseconds: int) -> timedelta | None:
    return timedelta(microseconds=microseconds) if microseconds >= 0 else None


def _ceil(value: int, divisor: int) -> int:
    return -(-value // divisor)
