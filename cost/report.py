"""The tables that ``make cost`` prints."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cost.model import OPERATIONS, DeliveryCounts, Operation, bill, billed_seconds, provider_fee, total, usage
from cost.prices import Confirmed, Prices
from shared.topology import TOPOLOGY

VOLUMES = (100_000, 1_000_000, 100_000_000)
_DETAIL_VOLUME = 1_000_000
_CENT = 0.01
_WHOLE_DOLLARS_FROM = 1000
_MARKS: dict[Confirmed, str] = {"vendor": "", "secondary": " *", "memory": " **"}

_COUNTED: dict[str, Callable[[DeliveryCounts], float]] = {
    "pushes": lambda each: each.pushes,
    "message, bytes": lambda each: each.message_bytes,
    "outcomes": lambda each: each.outcomes,
    "outcome, bytes": lambda each: each.outcome_bytes,
    "push of outcome, bytes": lambda each: each.outcome_call_bytes,
    "to the provider, bytes": lambda each: each.provider_call_bytes,
    "function measured, ms": lambda each: each.function_seconds * 1000,
    "inbox reads": lambda each: each.inbox.reads,
    "inbox writes": lambda each: each.inbox.writes,
    "inbox deletes (TTL)": lambda each: each.inbox.documents,
    "inbox, bytes": lambda each: each.inbox.document_bytes,
    "inbox, days kept": lambda each: each.inbox.kept_days,
    "ledger reads": lambda each: each.ledger.reads,
    "ledger writes": lambda each: each.ledger.writes,
    "ledger deletes (TTL)": lambda each: each.ledger.documents,
    "ledger, bytes": lambda each: each.ledger.document_bytes,
    "ledger, days kept": lambda each: each.ledger.kept_days,
    "log lines, bytes": lambda each: each.log_bytes,
    "Postgres rows, bytes": lambda each: each.postgres_bytes,
}

_NOT_INCLUDED = """\
Traffic is assumed to be even over the month; bursts start more instances.
Not included: retries and dead letters; further devices of a user (one delivery
for each); reads by clients that listen to the inbox (one for each document and
device); the channel switches (up to 172,800 reads per instance and month);
reading and marking through the API; cold starts; Firestore's backups and
point-in-time recovery; bundles, images, builds; TLS; taxes, discounts, support.
Postgres and the containers have the size of example.tfvars at every volume;
docs/scaling.md says up to which volume that is enough. Postgres keeps all
rows; its storage is what one month adds.
Waits at Google and at providers cannot be measured on one machine. They and
other assumptions are at the end of cost/prices.json. The measured time of a
function depends on what else this machine is doing."""


@dataclass(frozen=True, slots=True)
class Report:
    """The counts of one delivery by channel type, and what a month of deliveries costs."""

    counts: Mapping[str, DeliveryCounts]
    prices: Prices

    def print(self, console: Console) -> None:
        for table in (self._counts(), self._fixed(), self._volumes(), self._operations(), self._providers()):
            console.print(table)
        console.print(_NOT_INCLUDED, highlight=False)
        console.print(self._unconfirmed_prices(), highlight=False)

    def month(self, channel_types: Iterable[str], deliveries: int) -> dict[Operation, float]:
        """The bill of both clouds for ``deliveries`` over each of ``channel_types``, without the fixed cost."""
        parts = [
            usage(self.counts[name], TOPOLOGY[name], deliveries, len(TOPOLOGY), self.prices.assumptions)
            for name in channel_types
        ]
        return bill(total(parts), self.prices.operations)

    @property
    def fixed(self) -> float:
        """The fixed cost of a month in USD: resources that are billed also without a notification."""
        return sum(each.total for each in self.prices.monthly.values())

    def _counts(self) -> Table:
        rows = {
            name: [f"{value(each):.{0 if value(each) > 10 else 2}f}" for each in self.counts.values()]  # noqa: PLR2004 - small numbers need decimals
            for name, value in _COUNTED.items()
        }
        assumed = self.prices.assumptions
        billed = [f"{billed_seconds(each, assumed) * 1000:.0f}" for each in self.counts.values()]
        rows["function billed, ms"] = billed
        return _table("Counted: the operations of one delivery", ["", *self.counts], rows)

    def _fixed(self) -> Table:
        rows = {f"{each.title}{_MARKS[each.confirmed]}": [_money(each.total)] for each in self.prices.monthly.values()}
        rows["Fixed cost"] = [_money(self.fixed)]
        return _table("Fixed cost, without a notification: USD per month", ["", "USD"], rows)

    def _volumes(self) -> Table:
        rows = {}
        for volume in VOLUMES:
            alone = [sum(self.month([name], volume).values()) for name in self.counts]
            every = sum(self.month(self.counts, volume).values())
            rows[f"{volume:,}"] = [_money(usd) for usd in (*alone, every, self.fixed + every)]
        title = "Both clouds: USD per month by deliveries, over one channel type or over each"
        return _table(title, ["", *self.counts, "each", "+ fixed"], rows)

    def _operations(self) -> Table:
        bills = [*(self.month([name], _DETAIL_VOLUME) for name in self.counts), self.month(self.counts, _DETAIL_VOLUME)]
        rows = {}
        for operation in OPERATIONS:
            price = self.prices.operations[operation]
            rows[price.title + _MARKS[price.confirmed]] = [_money(each[operation]) for each in bills]
        return _table(f"By operation: USD per month at {_DETAIL_VOLUME:,}", ["", *self.counts, "each"], rows)

    def _providers(self) -> Table:
        rows = {}
        for name, provider in self.prices.providers.items():
            fees = [_money(provider_fee(provider, volume)) for volume in VOLUMES]
            rows[f"{name}: {provider.title}{_MARKS[provider.confirmed]}"] = fees
        return _table("Fees of the providers: USD per month", ["", *(f"{volume:,}" for volume in VOLUMES)], rows)

    def _unconfirmed_prices(self) -> str:
        prices = self.prices
        listed = [*prices.operations.values(), *prices.monthly.values(), *prices.providers.values()]
        lines = ["", "Not read on the vendor's own page:"]
        meanings: dict[str, Confirmed] = {"* quoted on other pages": "secondary", "** from memory; check it": "memory"}
        for meaning, confirmed in meanings.items():
            sources = sorted({each.source for each in listed if each.confirmed == confirmed})
            lines += [f"  {meaning}", *(f"    {source}" for source in sources)]
        return "\n".join(lines)


def _money(usd: float) -> str:
    if 0 < usd < _CENT:
        return "<0.01"
    return f"{usd:,.0f}" if usd >= _WHOLE_DOLLARS_FROM else f"{usd:,.2f}"


def _table(title: str, headings: Sequence[str], rows: Mapping[str, Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column(headings[0], no_wrap=True)
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for name, cells in rows.items():
        table.add_row(name, *cells)
    return table
