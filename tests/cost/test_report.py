"""What `make cost` prints."""

from io import StringIO

import pytest
from rich.console import Console

from cost.prices import load
from cost.report import VOLUMES, Report
from shared.topology import TOPOLOGY
from tests.cost.counted import ONE

REPORT = Report(dict.fromkeys(TOPOLOGY, ONE), load())


def printed() -> str:
    out = StringIO()
    REPORT.print(Console(file=out, width=80))
    return out.getvalue()


def test_report_fits_80_columns_and_truncates_nothing() -> None:
    text = printed()
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "…" not in text


def test_report_names_every_volume_and_every_price() -> None:
    text = printed()
    assert [volume for volume in VOLUMES if f"{volume:,}" not in text] == []
    assert [price.title for price in REPORT.prices.operations.values() if price.title not in text] == []
    assert [price.title for price in REPORT.prices.monthly.values() if price.title not in text] == []


def test_report_names_the_source_of_every_unconfirmed_price() -> None:
    text = printed()
    unconfirmed = [price for price in REPORT.prices.operations.values() if price.confirmed != "vendor"]
    assert unconfirmed
    assert [price.source for price in unconfirmed if price.source not in text] == []


def test_fixed_cost_is_the_sum_of_counts_times_prices() -> None:
    assert pytest.approx(2 * 12 + 5 + 2 * 30.45 + 5 + 8 * 1.5) == REPORT.fixed


def test_month_without_deliveries_costs_nothing_beyond_the_fixed_cost() -> None:
    assert sum(REPORT.month(TOPOLOGY, 0).values()) == 0


def test_more_deliveries_never_cost_less() -> None:
    costs = [sum(REPORT.month(TOPOLOGY, volume).values()) for volume in VOLUMES]
    assert costs == sorted(costs)
    assert costs[0] > 0
