"""The tables that ``make cost`` prints."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cost.model import OPERATIONS, Counted, Operation, bill, billed_seconds, provider_fee, together, usage
from cost.prices import Confirmed, Prices
from shared.topology import TOPOLOGY

VOLUMES = (100_000, 1_000_000, 100_000_000)
_DETAILED = 1_000_000
_CENT = 0.01
_NO_CENTS_FROM = 1000
_MARKS: dict[Confirmed, str] = {"vendor": "", "secondary": " *", "memory": " **"}

_COUNTED: dict[str, Callable[[Counted], float]] = {
    "pushes": lambda each: each.pushes,
    "message, bytes": lambda each: each.message_bytes,
    "outcomes": lambda each: each.outcomes,
    "outcome, bytes": lambda each: each.outcome_bytes,
    "outcome's push, bytes": lambda each: each.outcome_call_bytes,
    "to the provider, bytes": lambda each: each.provider_call_bytes,
    "function here, ms": lambda each: each.function_seconds * 1000,
    "Firestore reads": lambda each: each.firestore_reads,
    "Firestore writes": lambda each: each.firestore_writes,
    "Firestore deletes (TTL)": lambda each: each.firestore_documents,
    "Firestore, bytes": lambda each: each.document_bytes,
    "Firestore, days kept": lambda each: each.kept_days,
    "log, bytes": lambda each: each.log_bytes,
    "Postgres rows, bytes": lambda each: each.postgres_bytes,
}

_LEFT_OUT = """\
Traffic is taken as even over the month; bursts start more instances.
Left out: retries and dead letters; more than one device a person (each is a
delivery more); reads by clients that listen to the inbox (one a document and
listening device); the switchboard (at most 172,800 reads a month and instance);
reading and marking through the API; cold starts; Firestore's backups and
point-in-time recovery; bundles, images, builds; TLS; taxes, discounts, support.
Postgres and the containers have the size of example.tfvars at every volume:
docs/scaling.md says how far that reaches. Postgres keeps all rows, so its
storage is what one month adds.
Waits at Google and at providers cannot be measured on one machine. They, and
other assumptions, stand at the end of cost/prices.json. How long a function
took here depends on what else this machine is doing."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was counted, by channel, and what it costs."""

    counted: Mapping[str, Counted]
    prices: Prices

    def print(self, console: Console) -> None:
        for table in (self._counts(), self._idle(), self._clouds(), self._detail(), self._providers()):
            console.print(table)
        console.print(_LEFT_OUT, highlight=False)
        console.print(self._doubts(), highlight=False)

    def month(self, kinds: Iterable[str], deliveries: int) -> dict[Operation, float]:
        """The bill of both clouds for ``deliveries`` over each of ``kinds``, by operation, without what is idle."""
        parts = [
            usage(self.counted[kind], TOPOLOGY[kind], deliveries, len(TOPOLOGY), self.prices.assumptions)
            for kind in kinds
        ]
        return bill(together(parts), self.prices.operations)

    @property
    def idle(self) -> float:
        """What stands there all month, in USD."""
        return sum(each.total for each in self.prices.monthly.values())

    def _counts(self) -> Table:
        rows = {
            name: [f"{value(each):.{0 if value(each) > 10 else 2}f}" for each in self.counted.values()]  # noqa: PLR2004 - small numbers want decimals
            for name, value in _COUNTED.items()
        }
        assumed = self.prices.assumptions
        billed = [f"{billed_seconds(each, assumed) * 1000:.0f}" for each in self.counted.values()]
        rows["function billed, ms"] = billed
        return _table("Counted: what one delivery takes", ["", *self.counted], rows)

    def _idle(self) -> Table:
        rows = {f"{each.title}{_MARKS[each.confirmed]}": [_money(each.total)] for each in self.prices.monthly.values()}
        rows["Idle, all together"] = [_money(self.idle)]
        return _table("Before the first notification: USD a month", ["", "USD"], rows)

    def _clouds(self) -> Table:
        rows = {}
        for volume in VOLUMES:
            alone = [sum(self.month([kind], volume).values()) for kind in self.counted]
            every = sum(self.month(self.counted, volume).values())
            rows[f"{volume:,}"] = [_money(usd) for usd in (*alone, every, self.idle + every)]
        title = "Both clouds: USD a month, for so many over this channel alone, or over each"
        return _table(title, ["", *self.counted, "each", "+ idle"], rows)

    def _detail(self) -> Table:
        bills = [*(self.month([kind], _DETAILED) for kind in self.counted), self.month(self.counted, _DETAILED)]
        rows = {}
        for operation in OPERATIONS:
            price = self.prices.operations[operation]
            rows[price.title + _MARKS[price.confirmed]] = [_money(each[operation]) for each in bills]
        return _table(f"Where it goes: USD a month at {_DETAILED:,}", ["", *self.counted, "each"], rows)

    def _providers(self) -> Table:
        rows = {}
        for kind, provider in self.prices.providers.items():
            fees = [_money(provider_fee(provider, volume)) for volume in VOLUMES]
            rows[f"{kind}: {provider.title}{_MARKS[provider.confirmed]}"] = fees
        return _table("The providers' own fees: USD a month", ["", *(f"{volume:,}" for volume in VOLUMES)], rows)

    def _doubts(self) -> str:
        prices = self.prices
        everything = [*prices.operations.values(), *prices.monthly.values(), *prices.providers.values()]
        lines = ["", "Not read on the vendor's own page:"]
        meanings: dict[str, Confirmed] = {"* quoted by others": "secondary", "** from memory; check it": "memory"}
        for meaning, confirmed in meanings.items():
            sources = sorted({each.source for each in everything if each.confirmed == confirmed})
            lines += [f"  {meaning}", *(f"    {source}" for source in sources)]
        return "\n".join(lines)


def _money(usd: float) -> str:
    if 0 < usd < _CENT:
        return "<0.01"
    return f"{usd:,.0f}" if usd >= _NO_CENTS_FROM else f"{usd:,.2f}"


def _table(title: str, headings: Sequence[str], rows: Mapping[str, Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column(headings[0], no_wrap=True)
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for name, cells in rows.items():
        table.add_row(name, *cells)
    return table
