"""``python -m bench.profiles [PROFILE …]``: the same measurements in each profile that this machine can run.

For each profile: how long the stack takes until it is ready, how many processes it runs and how much memory they take,
the time from POST until a listener has the entry at 50 requests per second, in each way in which clients listen, and
how fast a backlog over all channel types is delivered and recorded; outside of Google Cloud by one worker, and by two.
Each profile runs a stack of its own, one after another.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import httpx
import psycopg

from bench import drain, inboxes
from bench.fixtures import memory_of, progress, running_stack
from bench.inboxes import Listening
from bench.latency import pace
from local.emulators import EmulatorsMissing
from local.processes import Child
from local.stack import Stack
from shared.log_events import LogEvent
from shared.profile import Profile
from shared.topology import CHANNEL_TYPES

_PER_SECOND = 50
_SECONDS = 20
_WARM_UP_SECONDS = 4
_USERS = 25
_NOTIFICATIONS = 500
_WARM_UP_NOTIFICATIONS = 50
_ROUNDS = 3
_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Latency:
    """From POST to the callback of a listener, in milliseconds. ``unseen``: notifications without a callback."""

    p50: float
    p99: float
    unseen: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One profile. Memory in MiB; ``lost`` are deliveries that were not sent. ``latencies``: by the way to listen.

    ``rates_of_two``: with a second worker; ``rates_of_sends``: the baseline, ``bench.sends``. Both are empty in the
    google profile, which has no worker.
    """

    ready_seconds: float
    processes: int
    memory: float
    latencies: dict[str, Latency]
    rates: list[float]
    rates_of_two: list[float]
    rates_of_sends: list[float]
    lost: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.profiles", description=__doc__)
    parser.add_argument("profiles", nargs="*", metavar="PROFILE", help=f"of: {', '.join(Profile)}. Default: all")
    measured: dict[str, Measured] = {}
    for name in parser.parse_args().profiles or list(Profile):
        try:
            measured[name] = _measure(Profile(name))
        except EmulatorsMissing as missing:
            print(f"{name}: not measured. {', '.join(missing.missing)}", file=sys.stderr)
    _report(measured)


def _measure(profile: Profile) -> Measured:
    began = time.monotonic()
    with (
        running_stack(profile) as (stack, api),
        psycopg.connect(stack.config.database_url, autocommit=True) as database,
    ):
        ready_seconds = time.monotonic() - began
        drain.create_user(api)
        progress(f"{profile}: warming up")
        consumer = stack.child("push_bridge" if profile is Profile.GOOGLE else "worker")
        _drain(stack, [consumer], api, database, _WARM_UP_NOTIFICATIONS)
        latencies = {}
        for name, listening in inboxes.ways(stack.config).items():
            progress(f"{profile}: from POST to a listener over {name}, {_SECONDS} s")
            _latency(listening, api, _WARM_UP_SECONDS)
            latencies[name] = _latency(listening, api, _SECONDS)
        processes, memory = _size_of(stack)
        rates, lost = _rates(stack, [consumer], api, database)
        rates_of_two: list[float] = []
        rates_of_sends: list[float] = []
        if profile is not Profile.GOOGLE:
            rates_of_sends = [_rate_of_sends(stack) for _ in range(_ROUNDS)]
            with _second_worker(stack) as second:
                _drain(stack, [consumer, second], api, database, _WARM_UP_NOTIFICATIONS)
                rates_of_two, lost_by_two = _rates(stack, [consumer, second], api, database)
                lost += lost_by_two
    return Measured(ready_seconds, processes, memory, latencies, rates, rates_of_two, rates_of_sends, lost)


def _rates(
    stack: Stack, consumers: Sequence[Child], api: httpx.Client, database: psycopg.Connection
) -> tuple[list[float], int]:
    """The deliveries per second of each round, and how many deliveries were not sent in all."""
    rates, sent = [], 0
    for number in range(_ROUNDS):
        progress(f"{stack.config.profile}: draining, {len(consumers)} at work, round {number + 1} of {_ROUNDS}")
        seconds, sent_now = _drain(stack, consumers, api, database, _NOTIFICATIONS)
        rates.append(_NOTIFICATIONS * len(CHANNEL_TYPES) / seconds)
        sent += sent_now
    return rates, _ROUNDS * _NOTIFICATIONS * len(CHANNEL_TYPES) - sent


def _rate_of_sends(stack: Stack) -> float:
    """The deliveries per second if each took only its send. An in-app notification is not sent to a provider."""
    progress(f"{stack.config.profile}: the baseline: the sends alone")
    command = [sys.executable, "-m", "bench.sends", str(_NOTIFICATIONS)]
    environment = stack.config.environment("worker")
    ended = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return _NOTIFICATIONS * len(CHANNEL_TYPES) / float(ended.stdout)


@contextmanager
def _second_worker(stack: Stack) -> Iterator[Child]:
    """Another worker like the stack's own, as an operator starts one."""
    command = [sys.executable, "-m", "local.worker_host"]
    log = stack.logs / "second_worker.log"
    child = Child.start("second_worker", command, log=log, env=stack.config.environment("worker"))
    try:
        child.wait_ready(lambda: LogEvent.WORKER_READY.value in log.read_text(errors="replace"), _TIMEOUT_SECONDS)
        yield child
    finally:
        child.stop()


def _drain(
    stack: Stack, consumers: Sequence[Child], api: httpx.Client, database: psycopg.Connection, notifications: int
) -> tuple[float, int]:
    """The seconds until every outcome is recorded, after the consumers continue; and how many were sent."""
    while drain.has_open_deliveries(database):  # an entry is seen before its outcome is recorded
        time.sleep(0.02)
    before = drain.statuses(database)
    with _paused(consumers):
        drain.send(stack, api, notifications)
        while drain.statuses(database).get("pending", 0):
            time.sleep(0.02)
    began = time.monotonic()
    while drain.has_open_deliveries(database):
        time.sleep(0.02)
    seconds = time.monotonic() - began
    return seconds, drain.statuses(database).get("sent", 0) - before.get("sent", 0)


@contextmanager
def _paused(consumers: Sequence[Child]) -> Iterator[None]:
    """Stop what hands messages to the functions: workers, or the push bridge."""
    for each in consumers:
        each.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for each in consumers:
            each.process.send_signal(signal.SIGCONT)


def _latency(listening: Listening, api: httpx.Client, seconds: int) -> Latency:
    user_ids = [uuid.uuid4().hex for _ in range(_USERS)]
    sent: dict[str, float] = {}

    def send(number: int) -> None:
        began = time.time()
        body = {"user_id": user_ids[number % _USERS], "event_type": "payment", "channels": ["inapp"], "payload": {}}
        response = api.post("/v1/notifications", json=body).raise_for_status()
        sent[response.json()["notification_id"]] = began

    with listening(user_ids) as seen:
        pace(_PER_SECOND * seconds, send)
        arrived = inboxes.wait_for(seen, list(sent), _TIMEOUT_SECONDS)
    cuts = statistics.quantiles([(seen[each] - sent[each]) * 1000 for each in arrived], n=100)
    return Latency(cuts[49], cuts[98], len(sent) - len(arrived))


def _size_of(stack: Stack) -> tuple[int, float]:
    """How many services run, and the memory of all their processes together, in MiB."""
    services = stack.children()
    return len(services), sum(memory_of(child) for child in services) / 2**20


def _latency_cell(name: str, measured: Measured) -> str:
    latency = measured.latencies.get(name)
    return f"{latency.p50:.1f} / {latency.p99:.1f}" if latency else "-"


def _report(measured: dict[str, Measured]) -> None:
    print(f"{'':36}" + "".join(f"{name:>15}" for name in measured))
    rows: dict[str, Callable[[Measured], str]] = {
        "stack ready, s": lambda each: f"{each.ready_seconds:.1f}",
        "processes": lambda each: str(each.processes),
        "memory, MiB": lambda each: f"{each.memory:.0f}",
        **{
            f"to {name} at {_PER_SECOND}/s, p50 / p99 ms": partial(_latency_cell, name)
            for name in dict.fromkeys(name for each in measured.values() for name in each.latencies)
        },
        "never seen": lambda each: str(sum(latency.unseen for latency in each.latencies.values())),
        "drain, deliveries/s (median)": lambda each: f"{statistics.median(each.rates):.0f}",
        "drain, lowest and highest": lambda each: f"{min(each.rates):.0f}-{max(each.rates):.0f}",
        "drain, a second worker (median)": lambda each: _median_or_dash(each.rates_of_two),
        "the sends alone (median)": lambda each: _median_or_dash(each.rates_of_sends),
        "drain over the sends alone": lambda each: f"{_over_sends(each):.2f}" if each.rates_of_sends else "-",
        "not sent": lambda each: str(each.lost),
    }
    for label, cell in rows.items():
        print(f"{label:36}" + "".join(f"{cell(each):>15}" for each in measured.values()))
    result = {
        name: {
            "p50_ms": {way: round(latency.p50, 1) for way, latency in each.latencies.items()},
            "p99_ms": {way: round(latency.p99, 1) for way, latency in each.latencies.items()},
            "drain": round(statistics.median(each.rates)),
            "drain_of_two": round(statistics.median(each.rates_of_two)) if each.rates_of_two else None,
            "drain_over_sends": round(_over_sends(each), 2) if each.rates_of_sends else None,
        }
        for name, each in measured.items()
    }
    print(json.dumps({"bench": "profiles", **result}))


def _median_or_dash(rates: Sequence[float]) -> str:
    return f"{statistics.median(rates):.0f}" if rates else "-"


def _over_sends(measured: Measured) -> float:
    return statistics.median(measured.rates) / statistics.median(measured.rates_of_sends)


if __name__ == "__main__":
    main()
