"""``python -m bench.listeners``: measures one publisher with many listeners, over SSE and over WebSocket.

In the profile postgres: the memory of a stream, the CPU time of idle streams, and the time until all listeners have
seen an announcement, which is a notification to each of their users, or one notification to a user with that many
listeners. The baseline, in the same run, is the same announcement while there are no listeners.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

import httpx
import psycopg

from bench import drain, live_clients
from bench.fixtures import cpu_seconds, memory_of, progress, running_stack
from bench.inboxes import tokens_of
from bench.live_clients import Wire
from local.stack import Stack
from shared.profile import Profile

_LISTENERS = 5000
_ROUNDS = 3
_IDLE_SECONDS = 30
_BATCH = 500
_POLL_SECONDS = 0.02
_TIMEOUT_SECONDS = 120.0
_OTHER_FILES = 200
_SERVICES = ("publisher", "postgres")
_WARM_UP_LISTENERS = 50

Arrivals = list[float]


@dataclass(frozen=True, slots=True)
class Announced:
    """The seconds from the first POST: until the last entry was stored, and of the callbacks. ``unseen``: of how many
    notifications no callback came. ``publisher_ms``, ``postgres_ms``: CPU time for each notification.
    """

    stored: float
    p50: float
    p99: float
    last: float
    unseen: int
    publisher_ms: float
    postgres_ms: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One protocol. ``idle``: the CPU time in each second of each service, without and with listeners."""

    connected_seconds: float
    kib: float
    idle: dict[str, tuple[float, float]]
    baseline: Announced
    to_all: Announced
    to_one: Announced


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.listeners", description=__doc__)
    parser.add_argument("--listeners", type=int, default=_LISTENERS)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument("--over", type=Wire, choices=list(Wire), nargs="+", default=list(Wire))
    arguments = parser.parse_args()
    _allow_files(arguments.listeners + _OTHER_FILES)
    os.environ["INBOX_STREAMS_PER_USER"] = str(arguments.listeners)  # the publisher of the stack inherits it
    measured = {}
    with (
        running_stack(Profile.POSTGRES) as (stack, api),
        psycopg.connect(stack.config.database_url, autocommit=True) as database,
    ):
        for wire in arguments.over:
            measured[wire] = _Benchmark(stack, api, database, wire, arguments.listeners, arguments.rounds).run()
    _report(measured, arguments.listeners)


def _allow_files(count: int) -> None:
    """Let this process, and all that it starts, open so many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        sys.exit(f"{count} open files are needed, and the limit is {hard}. Raise it (ulimit -Hn), or set --listeners.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))


@dataclass(frozen=True, slots=True)
class _Benchmark:
    stack: Stack
    api: httpx.Client
    database: psycopg.Connection
    wire: Wire
    listeners: int
    rounds: int

    def run(self) -> Measured:
        self.stack.restart("publisher")  # its memory is new
        user_ids = [uuid.uuid4().hex for _ in range(self.listeners)]
        tokens = tokens_of(self.stack.config, user_ids)
        progress(f"{self.wire}: warming up")
        with self._listening(tokens[:_WARM_UP_LISTENERS], []):
            self._announce(user_ids[:_WARM_UP_LISTENERS], None)
        baseline = self._median("announcing to no listeners", lambda: self._announce(user_ids, None))
        idle_before = self._cpu_per_second("idle without listeners")
        memory_before = memory_of(self.stack.child("publisher"))
        progress(f"{self.wire}: connecting {self.listeners} listeners")
        began, arrivals = time.monotonic(), Arrivals()
        with self._listening(tokens, arrivals):
            connected_seconds = time.monotonic() - began
            kib = (memory_of(self.stack.child("publisher")) - memory_before) / self.listeners / 1024
            idle = self._cpu_per_second(f"idle, {self.listeners} listeners")
            to_all = self._median("announcing to all users", lambda: self._announce(user_ids, arrivals))
        progress(f"{self.wire}: connecting {self.listeners} listeners of one user")
        with self._listening(tokens[:1] * self.listeners, arrivals):
            to_one = self._median("announcing to one user", lambda: self._announce(user_ids[:1], arrivals))
        return Measured(
            connected_seconds, kib, {name: (idle_before[name], idle[name]) for name in _SERVICES}, baseline, to_all,
            to_one,
        )  # fmt: skip

    def _listening(self, tokens: list[str], arrivals: Arrivals) -> AbstractContextManager[object]:
        url = self.stack.config.publisher_url
        return live_clients.listening(url, self.wire, tokens, lambda _id, at: arrivals.append(at))

    def _median(self, what: str, announce: Callable[[], Announced]) -> Announced:
        """The round whose last callback (without listeners: last entry) was neither early nor late."""
        rounds = []
        for number in range(self.rounds):
            progress(f"{self.wire}: {what}, round {number + 1} of {self.rounds}")
            rounds.append(announce())
        return sorted(rounds, key=lambda each: each.last)[len(rounds) // 2]

    def _announce(self, user_ids: list[str], arrivals: Arrivals | None) -> Announced:
        """Send a notification to each user, and wait for each listener's callback; without listeners, for entries."""
        item = {"event_type": "payment", "channels": ["inapp"], "payload": {"amount": 10}}
        before = {name: cpu_seconds(self.stack.child(name)) for name in _SERVICES}
        if arrivals is not None:
            arrivals.clear()
        began = time.time()
        for start in range(0, len(user_ids), _BATCH):
            batch = [item | {"user_id": user_id} for user_id in user_ids[start : start + _BATCH]]
            self.api.post("/v1/notifications/batch", json={"notifications": batch}).raise_for_status()
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while drain.has_open_deliveries(self.database) or (arrivals is not None and len(arrivals) < self.listeners):
            if time.monotonic() > deadline:
                break
            time.sleep(_POLL_SECONDS)
        [stored] = self.database.execute("select extract(epoch from max(delivered_at))::float from state.inbox")
        spent = {name: 1000 * (cpu_seconds(self.stack.child(name)) - before[name]) for name in _SERVICES}
        times = sorted(at - began for at in arrivals) if arrivals else [stored[0] - began] * 2
        p50, *_, p99 = statistics.quantiles(times, n=100)[49:]
        return Announced(
            stored[0] - began,
            p50,
            p99,
            times[-1],
            0 if arrivals is None else self.listeners - len(arrivals),
            spent["publisher"] / self.listeners,
            spent["postgres"] / self.listeners,
        )

    def _cpu_per_second(self, what: str) -> dict[str, float]:
        progress(f"{self.wire}: {what}, {_IDLE_SECONDS} s")
        before = {name: cpu_seconds(self.stack.child(name)) for name in _SERVICES}
        time.sleep(_IDLE_SECONDS)
        return {name: (cpu_seconds(self.stack.child(name)) - before[name]) / _IDLE_SECONDS for name in _SERVICES}


def _report(measured: dict[Wire, Measured], listeners: int) -> None:
    print(f"{f'{listeners:,} listeners':44}" + "".join(f"{wire:>12}" for wire in measured))
    rows: list[tuple[str, Callable[[Measured], str]]] = [
        ("connecting all, s", lambda each: f"{each.connected_seconds:.1f}"),
        ("memory of the publisher for each, KiB", lambda each: f"{each.kib:.1f}"),
        *(
            (f"idle CPU of {service}, % of a core ({'with' if number else 'without'})", partial(_idle, service, number))
            for service in _SERVICES
            for number in (0, 1)
        ),
        ("each a user: without listeners, stored, s", lambda each: f"{each.baseline.stored:.2f}"),
        ("  with listeners, stored, s", lambda each: f"{each.to_all.stored:.2f}"),
        ("  with listeners, callback p50, s", lambda each: f"{each.to_all.p50:.2f}"),
        ("  with listeners, callback p99, s", lambda each: f"{each.to_all.p99:.2f}"),
        ("  with listeners, the last callback, s", lambda each: f"{each.to_all.last:.2f}"),
        ("  CPU of publisher, ms each (without)", lambda each: f"{each.baseline.publisher_ms:.2f}"),
        ("  CPU of publisher, ms each (with)", lambda each: f"{each.to_all.publisher_ms:.2f}"),
        ("  CPU of postgres, ms each (without)", lambda each: f"{each.baseline.postgres_ms:.2f}"),
        ("  CPU of postgres, ms each (with)", lambda each: f"{each.to_all.postgres_ms:.2f}"),
        ("all one user: callback p50, s", lambda each: f"{each.to_one.p50:.3f}"),
        ("  the last callback, s", lambda each: f"{each.to_one.last:.3f}"),
        ("  CPU of publisher, ms each", lambda each: f"{each.to_one.publisher_ms:.3f}"),
        ("  CPU of postgres, ms each", lambda each: f"{each.to_one.postgres_ms:.3f}"),
        ("never seen", lambda each: str(each.to_all.unseen + each.to_one.unseen)),
    ]
    for label, cell in rows:
        print(f"{label:44}" + "".join(f"{cell(each):>12}" for each in measured.values()))
    result = {
        wire: {
            "last_over_baseline": round(each.to_all.last / each.baseline.stored, 2),
            "last_s": round(each.to_all.last, 2),
            "last_of_one_user_s": round(each.to_one.last, 3),
            "kib_per_stream": round(each.kib, 1),
            "idle_publisher": round(each.idle["publisher"][1] - each.idle["publisher"][0], 3),
            "idle_postgres": round(each.idle["postgres"][1] - each.idle["postgres"][0], 3),
            "unseen": each.to_all.unseen + each.to_one.unseen,
        }
        for wire, each in measured.items()
    }
    print(json.dumps({"bench": "listeners", **result}))


def _idle(service: str, number: int, measured: Measured) -> str:
    return f"{100 * measured.idle[service][number]:.1f}"


if __name__ == "__main__":
    main()
