"""A limit, as accepting knows it and as the API takes and shows it."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from publisher_api.channels.model import Channel
from publisher_api.refusal import Refusal, RefusalCode

MAX_TOKENS = 1_000_000
MAX_WINDOW_SECONDS = 31 * 86_400
MAX_LIMITS = 1000
INBOX = "inapp"
EACH_PRODUCER, EACH_USER = "producer", "user"

SCOPE = re.compile("^(producer|user|(producer|channel):[A-Za-z0-9][A-Za-z0-9._:-]{0,127})$")
Scope = Annotated[
    str,
    Field(
        pattern=SCOPE.pattern,
        description="`producer` or `user` for each of them, `producer:NAME` for one producer, `channel:SLUG`.",
        examples=["producer"],
    ),
]


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket of ``burst`` tokens, which refills by ``limit`` tokens in each window, evenly."""

    limit: int
    window_seconds: int
    burst: int


class Limits(msgspec.Struct, frozen=True):
    """The declared limits by scope, and those of channels by slug."""

    by_scope: Mapping[str, Limit] = msgspec.field(default_factory=dict)
    by_channel: Mapping[str, Limit] = msgspec.field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.by_scope or self.by_channel)

    @property
    def of_each_user(self) -> Limit | None:
        return self.by_scope.get(EACH_USER)

    def of_producer(self, producer: str) -> Limit | None:
        """The producer's own limit, or that of each producer."""
        return self.by_scope.get(f"producer:{producer}") or self.by_scope.get(EACH_PRODUCER)

    def of_channel(self, slug: str) -> Limit | None:
        return self.by_channel.get(slug)


def limits_of(by_scope: Mapping[str, Limit], channels: Mapping[str, Channel]) -> Limits:
    """The limits in force. ``channel:SLUG`` comes before the ``rate`` in the config of the channel.

    The inbox has none: there is no provider to spare.
    """
    by_channel = {
        slug: limit
        for slug, channel in channels.items()
        if channel.channel_type != INBOX
        and (limit := by_scope.get(f"channel:{slug}") or _rate_of(channel.config.get("rate")))
    }
    return Limits(by_scope, by_channel)


def _rate_of(rate: Mapping[str, Any] | None) -> Limit | None:
    if rate is None:
        return None
    return LimitFields.model_validate(rate).as_limit()


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a producer's limit. ``reset_seconds``: until there is a token more, rounded up; 0 when full."""

    limit: Limit
    remaining: int
    reset_seconds: int


class LimitReached(Refusal):
    """The refusal of what a producer's limit does not allow now.

    ``retry_after_seconds`` is None if it never will. ``quota`` is what is left of the limit.
    """

    def __init__(
        self,
        code: RefusalCode,
        detail: str,
        *,
        quota: Quota,
        retry_after_seconds: int | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        hint = {} if retry_after_seconds is None else {"retry_after_seconds": retry_after_seconds}
        super().__init__(code, detail, members={"violated-policies": [EACH_PRODUCER], **hint, **(members or {})})
        self.quota = quota
        self.retry_after_seconds = retry_after_seconds


class LimitFields(BaseModel):
    """How much in which time. PUT replaces everything."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"limit": 100, "window_seconds": 1, "burst": 500}]}
    )

    limit: Annotated[int, Field(ge=1, le=MAX_TOKENS, strict=True)] = Field(
        description="Notifications (of a channel: deliveries) in each window, spread evenly over it."
    )
    window_seconds: Annotated[int, Field(ge=1, le=MAX_WINDOW_SECONDS, strict=True)]
    burst: Annotated[int, Field(ge=1, le=MAX_TOKENS, strict=True)] | None = Field(
        default=None, description="As many at once, after a pause. `limit` if it is left out."
    )

    def as_limit(self) -> Limit:
        return Limit(limit=self.limit, window_seconds=self.window_seconds, burst=self.burst or self.limit)


class LimitView(LimitFields):
    """A limit as it is stored."""

    scope: str
    updated_at: datetime


class LimitList(BaseModel):
    """All declared limits, by scope."""

    limits: list[LimitView]
