"""``make cost``: count the operations of a delivery over each channel type on the local stack, and print their cost."""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from cost import prices as price_table
from cost.count import CountingFailed, count, proxied_stack
from cost.report import Report
from local.emulators import EmulatorsMissing
from local.processes import StartFailed
from local.signals import end_on_signals

_DELIVERIES = 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m cost", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=_DELIVERIES, help="how many to count for each channel type")
    deliveries: int = parser.parse_args().deliveries
    end_on_signals()
    console = Console()
    prices = price_table.load()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="heliograph-cost-", ignore_cleanup_errors=True) as state,
            console.status("Starting Heliograph …") as status,
            proxied_stack(Path(state), lambda part, _: status.update(f"Starting Heliograph … {part}")) as stack,
        ):
            counts = count(stack, deliveries, lambda name: status.update(f"Counting {deliveries} over {name} …"))
    except (CountingFailed, EmulatorsMissing, StartFailed) as error:
        sys.exit(str(error))
    Report(counts, prices).print(console)


if __name__ == "__main__":
    main()
