"""``python -m bench.fairness [PROFILE …]``: what a flood by one producer does to another, and to its own urgent work.

The producer *steady* sends single notifications at a constant rate. The producer *flood* sends batches at several times
the rate at which the worker delivers; or batches, or single notifications, as fast as they are accepted, which takes
all of the machine's CPU. Each flood is measured in turn with the same seconds without it, on the same stack. What it
left is delivered before the next. The ratio is steady's p99 with the flood over without. The provider takes a tenth of
a second to respond, as providers do.

Then, in front of a backlog of thousands, *flood* sends a few urgent notifications, and *steady* a few of its own.
"""

import argparse
import json
import statistics
import sys
from contextlib import closing
from dataclasses import dataclass

import psycopg

from bench.fixtures import progress, running_stack
from bench.producers import BACKLOG, FLOODS, PER_SECOND, Producers, Times
from local.emulators import EmulatorsMissing
from shared.profile import Profile

_SECONDS = 8.0
_WARM_UP_SECONDS = 3.0
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """Steady's times by the kind of flood, "" for none; how many notifications of the flood were accepted per second;
    and the median times of a few notifications behind a backlog, by what they are.
    """

    times: dict[str, Times]
    rates: dict[str, float]
    behind_backlog: dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.fairness", description=__doc__)
    parser.add_argument("profiles", nargs="*", metavar="PROFILE", help=f"of: {', '.join(Profile)}. Default: postgres")
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    arguments = parser.parse_args()
    for name in arguments.profiles or [Profile.POSTGRES]:
        try:
            measured = _measure(Profile(name), arguments.rounds)
        except EmulatorsMissing as missing:
            print(f"{name}: not measured. {', '.join(missing.missing)}", file=sys.stderr)
        else:
            _report(name, measured)


def _measure(profile: Profile, rounds: int) -> Measured:
    times = {kind: Times() for kind in ("", *FLOODS)}
    rates: dict[str, list[float]] = {kind: [] for kind in FLOODS}
    with (
        running_stack(profile) as (stack, api),
        psycopg.connect(stack.config.database_url, autocommit=True) as database,
        closing(Producers(stack, api, database)) as producers,
    ):
        progress(f"{profile}: warming up")
        for kind in times:
            producers.measure(_WARM_UP_SECONDS, kind)
        for number in range(rounds):
            for kind in FLOODS:
                for flooded in ("", kind):
                    progress(f"{profile}: round {number + 1} of {rounds}, {flooded or 'no flood'}")
                    measured, rate = producers.measure(_SECONDS, flooded)
                    times[flooded].extend(measured)
                    if flooded:
                        rates[flooded].append(rate)
        progress(f"{profile}: behind a backlog")
        behind = producers.behind_backlog()
    return Measured(times, {kind: statistics.median(each) for kind, each in rates.items()}, behind)


def _percentiles(times: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(times, n=100)
    return cuts[49], cuts[98]


def _report(name: str, measured: Measured) -> None:
    print(f"{name + f', one at {PER_SECOND}/s':34} {'answered p50 / p99':>20} {'at the provider p50 / p99':>27}, ms")
    for kind, times in measured.times.items():
        cells = ["{:.1f} / {:.1f}".format(*_percentiles(each)) for each in (times.answered, times.arrived)]
        label = f"another floods with {kind}, {measured.rates[kind]:.0f}/s" if kind else "alone"
        print(f"  {label:32} {cells[0]:>20} {cells[1]:>27}")
    for label, median in measured.behind_backlog.items():
        print(f"  behind {BACKLOG}: {label:30} {median:10.0f} ms")
    alone = measured.times[""]
    result = {
        kind: {
            "answered_p99_over_alone": round(_percentiles(times.answered)[1] / _percentiles(alone.answered)[1], 2),
            "arrived_p99_over_alone": round(_percentiles(times.arrived)[1] / _percentiles(alone.arrived)[1], 2),
        }
        for kind, times in measured.times.items()
        if kind
    }
    print(json.dumps({"bench": "fairness", "profile": name, **result, "behind_backlog_ms": measured.behind_backlog}))


if __name__ == "__main__":
    main()
