"""``python -m bench.drain``: measures how fast a backlog is delivered by all functions, and recorded in Postgres.

The push bridge is paused while notifications over all five channel types are accepted and published, and then
continues. The baseline, in the same run, is the same number of messages over a topic of the same shape (five
subscriptions, each of which receives every message), pulled and acknowledged by Google's client without our code.
"""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import psycopg

from bench.baseline import drain_rate
from bench.fixtures import progress, running_stack
from local.processes import Child
from local.stack import Stack
from shared.outcomes import OPEN
from shared.topology import CHANNEL_TYPES, TOPOLOGY, subscriptions

_NOTIFICATIONS = 500
_WARM_UP = 50
_BATCH = 250
_POLL_SECONDS = 0.1
_TIMEOUT_SECONDS = 300.0
_MESSAGE_BYTES = 900
_SUBSCRIPTIONS = {name: [each.name for each in subscriptions() if each.target == name] for name in CHANNEL_TYPES}


@dataclass(frozen=True, slots=True)
class Drained:
    """The seconds until each channel type's function had sent everything, and until all outcomes were recorded.

    ``statuses`` is the number of deliveries by their final status.
    """

    sent: dict[str, float]
    recorded: float
    statuses: dict[str, int]


def main() -> None:
    with running_stack() as (stack, api), psycopg.connect(stack.config.database_url, autocommit=True) as database:
        emulators = stack.config.emulators
        create_user(api)
        progress("warming up")
        _drain(stack, api, database, _WARM_UP)
        drain_rate(emulators, [b"x" * _MESSAGE_BYTES] * _WARM_UP, len(CHANNEL_TYPES), _concurrency())
        drained = _drain(stack, api, database, _NOTIFICATIONS)
        progress("the baseline: the emulator alone")
        messages = [b"x" * _MESSAGE_BYTES] * (_NOTIFICATIONS * len(CHANNEL_TYPES))
        baseline = drain_rate(emulators, messages, len(CHANNEL_TYPES), _concurrency())
    _report(drained, baseline)


def _drain(stack: Stack, api: httpx.Client, database: psycopg.Connection, notifications: int) -> Drained:
    """Accept ``notifications`` over every channel type while the bridge is paused, then continue the bridge.

    Returns when every delivery has an outcome, also if that is a failure or a dead letter. Raises ``TimeoutError``.
    """
    before = _pushed(stack)
    before_all = statuses(database)
    progress(f"accepting {notifications} notifications over {len(CHANNEL_TYPES)} channel types")
    with _paused(stack.child("push_bridge")):
        send(stack, api, notifications)
        while statuses(database).get("pending", 0):
            time.sleep(_POLL_SECONDS)
        progress("draining")
    began = time.monotonic()
    done: dict[str, float] = {}
    while True:
        seconds = time.monotonic() - began
        for name, pushed in _pushed(stack).items():
            if pushed - before[name] >= notifications:
                done.setdefault(name, seconds)
        found = statuses(database)
        if not any(found.get(status) for status in OPEN):
            ended = {status: count - before_all.get(status, 0) for status, count in found.items()}
            return Drained({name: done.get(name, seconds) for name in CHANNEL_TYPES}, seconds, ended)
        if seconds > _TIMEOUT_SECONDS:
            message = f"After {seconds:.0f} s deliveries are {found}, and only {sorted(done)} sent everything."
            raise TimeoutError(message)
        time.sleep(_POLL_SECONDS)


@contextmanager
def _paused(child: Child) -> Iterator[None]:
    """Stop a process for the block. Keep it shorter than a message's deadline, or Pub/Sub redelivers the message."""
    child.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        child.process.send_signal(signal.SIGCONT)


def send(stack: Stack, api: httpx.Client, notifications: int) -> None:
    """Send ``notifications`` over every channel type, in batches."""
    notification = {
        "user_id": "u1",
        "event_type": "payment",
        "channels": list(CHANNEL_TYPES),
        "payload": {"amount": 10},
        "to": {"webhook": f"{stack.config.sandbox_url}/webhook/bench"},
    }
    for start in range(0, notifications, _BATCH):
        batch = {"notifications": [notification] * min(_BATCH, notifications - start)}
        api.post("/v1/notifications/batch", json=batch).raise_for_status()


def create_user(api: httpx.Client) -> None:
    """The user to whom ``send`` sends."""
    api.put("/v1/users/u1", json={"email": "u1@example.com", "phone": "+447700900123"}).raise_for_status()
    api.post("/v1/users/u1/devices", json={"token": "device-of-u1", "platform": "android"}).raise_for_status()


def _pushed(stack: Stack) -> dict[str, int]:
    """The number of messages that each channel type's function has acknowledged (HTTP 204)."""
    stats = httpx.get(f"{stack.config.bridge_url}/stats").raise_for_status().json()
    return {name: sum(stats[each].get("204", 0) for each in names) for name, names in _SUBSCRIPTIONS.items()}


def statuses(database: psycopg.Connection) -> dict[str, int]:
    """The number of deliveries, by status."""
    return dict(database.execute("select status, count(*) from deliveries group by status").fetchall())


def has_open_deliveries(database: psycopg.Connection) -> bool:
    """Whether a delivery has no outcome yet. Cheap, because the benchmarks ask often while they measure."""
    found = database.execute("select from deliveries where status = any(%s) limit 1", [list(OPEN)])
    return found.fetchone() is not None


def _concurrency() -> int:
    return max(declared.concurrency for declared in TOPOLOGY.values())


def _report(drained: Drained, baseline: float) -> None:
    deliveries = _NOTIFICATIONS * len(CHANNEL_TYPES)
    print(f"{f'{_NOTIFICATIONS} notifications, {deliveries} deliveries':38} {'seconds':>8} {'deliveries/s':>13}")
    for name, seconds in sorted(drained.sent.items()):
        print(f"  {TOPOLOGY[name].title:36} {seconds:8.1f} {_NOTIFICATIONS / seconds:13.0f}")
    last = max(drained.sent.values())
    for label, seconds in (("all sent", last), ("all outcomes recorded", drained.recorded)):
        print(f"  {label:36} {seconds:8.1f} {deliveries / seconds:13.0f}")
    print(f"  {'baseline: the emulator alone':36} {deliveries / baseline:8.1f} {baseline:13.0f}")
    print(f"  statuses: {', '.join(f'{count} {status}' for status, count in drained.statuses.items())}\n")
    rate = deliveries / last
    result = {
        "drain_over_baseline": round(rate / baseline, 2),
        "recorded_over_baseline": round(deliveries / drained.recorded / baseline, 2),
        "deliveries_per_second": round(rate),
        "notifications_per_second": round(rate / len(CHANNEL_TYPES)),
        "missing": deliveries - drained.statuses.get("sent", 0),
    }
    print(json.dumps({"bench": "drain", **result}))


if __name__ == "__main__":
    main()
