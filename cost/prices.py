"""The table of prices, ``prices.json``. Each price has its source, when it was read, and how sure we are of it."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

_TABLE = Path(__file__).with_name("prices.json")

Confirmed = Literal["vendor", "secondary", "memory"]
"""``vendor``: read on the vendor's page, or on a copy of it. ``secondary``: read on other pages that quote it, or on an
old copy. ``memory``: not read anywhere; check it before you rely on it.
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
    """``usd`` for every ``per`` units in a month, after the first ``free`` units."""

    usd: float
    per: float
    free: float


class Monthly(_Sourced, frozen=True):
    """``count`` resources that exist all month, at ``usd`` each."""

    usd: float
    count: int

    @property
    def total(self) -> float:
        return self.usd * self.count


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``usd`` for up to ``messages`` per month."""

    messages: int
    usd: float


class Provider(_Sourced, frozen=True):
    """A provider's plans, the smallest first. A provider without plans is free."""

    plans: list[Plan]


class Assumptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What cannot be measured on one machine. The first three are waits in the cloud, in seconds per call.

    ``log_overhead_bytes`` is what Cloud Run and Cloud Logging add to a push's own log lines. The factors are what
    indexes (and, in Postgres, dead rows) add to the bytes of documents and rows.
    """

    firestore_seconds: float
    pubsub_seconds: float
    provider_seconds: float
    retained_days: float
    log_overhead_bytes: float
    firestore_index_factor: float
    postgres_overhead_factor: float


class Prices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole table. ``operations`` has the keys of ``cost.model.OPERATIONS``, ``providers`` the channel types."""

    operations: dict[str, Price]
    monthly: dict[str, Monthly]
    providers: dict[str, Provider]
    assumptions: Assumptions


def load(path: Path = _TABLE) -> Prices:
    """Read the table. Raises ``msgspec.ValidationError``, which names the wrong field."""
    return msgspec.json.decode(path.read_bytes(), type=Prices)
