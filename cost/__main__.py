"""``make cost``: count what the local stack does for a delivery over each channel, and price it."""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from cost import prices as price_table
from cost.count import CountingFailed, count, tapped
from cost.report import Report
from local.emulators import EmulatorsMissing
from local.processes import StartFailed
from local.signals import end_on_signals

_DELIVERIES = 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m cost", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=_DELIVERIES, help="how many to count over each channel")
    deliveries: int = parser.parse_args().deliveries
    end_on_signals()
    console = Console()
    prices = price_table.load()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="heliograph-cost-", ignore_cleanup_errors=True) as state,
            console.status("Starting Heliograph …") as status,
            tapped(Path(state), lambda part, _: status.update(f"Starting Heliograph … {part}")) as tap,
        ):
            counted = count(tap, deliveries, lambda kind: status.update(f"Counting {deliveries} over {kind} …"))
    except (CountingFailed, EmulatorsMissing, StartFailed) as error:
        sys.exit(str(error))
    Report(counted, prices).print(console)


if __name__ == "__main__":
    main()
