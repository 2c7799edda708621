"""The table of prices, ``prices.json``: each with where it stands, when it was read, and how sure we are of it."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

_TABLE = Path(__file__).with_name("prices.json")

Confirmed = Literal["vendor", "secondary", "memory"]
"""``vendor``: read on the vendor's page, or a copy of it. ``secondary``: on others' pages that quote it, or on an old
copy. ``memory``: nowhere; check it before you rely on it.
"""
Url = Annotated[str, msgspec.Meta(pattern=r"^https://")]
Date = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class _Sourced(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: str
    source: Url
    read: Date
    confirmed: Confirmed
    note: str = ""


class Price(_Sourced, frozen=True):
    """``usd`` for every ``per`` units beyond the ``free`` ones of a month."""

    usd: float
    per: float
    free: float


class Monthly(_Sourced, frozen=True):
    """Something of which ``count`` stand there all month, at ``usd`` each."""

    usd: float
    count: int

    @property
    def total(self) -> float:
        return self.usd * self.count


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``usd`` for up to ``messages`` a month."""

    messages: int
    usd: float


class Provider(_Sourced, frozen=True):
    """A provider's plans, the smallest first; none: it is free."""

    plans: list[Plan]


class Assumptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one machine cannot tell. The first three are waits that are too short here, in seconds a call.

    ``log_overhead_bytes``: what Cloud Run and Cloud Logging add to a push's own lines. The factors are what indexes
    (and, in Postgres, dead rows) add to the bytes of documents and rows.
    """

    firestore_seconds: float
    pubsub_seconds: float
    provider_seconds: float
    retained_days: float
    log_overhead_bytes: float
    firestore_index_factor: float
    postgres_overhead_factor: float


class Prices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole table. ``operations`` is keyed as ``cost.model.usage`` is, ``providers`` by channel."""

    operations: dict[str, Price]
    monthly: dict[str, Monthly]
    providers: dict[str, Provider]
    assumptions: Assumptions


def load(path: Path = _TABLE) -> Prices:
    """Raises ``msgspec.ValidationError`` naming the wrong field."""
    return msgspec.json.decode(path.read_bytes(), type=Prices)
