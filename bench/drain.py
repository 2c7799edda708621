"""``python -m bench.drain``: how fast a backlog goes through all functions to the providers, and is accounted for.

The push bridge is paused while notifications over all five channels are accepted and published; then it goes on.
Beside it, in the same run: as many messages over a topic of the same shape (five subscriptions, each of which sees
every message), pulled and acknowledged by nobody but Google's client.
"""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import psycopg

from bench.bare import drain_rate
from bench.whole import progress, whole_stack
from local.processes import Child
from local.stack import Stack
from shared.outcomes import OPEN
from shared.topology import CHANNEL_TYPES, TOPOLOGY

_NOTIFICATIONS = 500
_WARM_UP = 50
_AT_ONCE = 250
_POLL_SECONDS = 0.1
_DEADLINE_SECONDS = 300.0
_MESSAGE_BYTES = 900


@dataclass(frozen=True, slots=True)
class Drained:
    """Seconds from the bridge's first move until each channel's provider had everything, and until all was recorded."""

    providers: dict[str, float]
    recorded: float
    accounted: dict[str, int]


def main() -> None:
    with whole_stack() as (stack, api), psycopg.connect(stack.layout.database_url, autocommit=True) as database:
        where = stack.layout.emulators
        _make_person(api)
        progress("warming up")
        _drain(stack, api, database, _WARM_UP)
        drain_rate(where, [b"x" * _MESSAGE_BYTES] * _WARM_UP, len(CHANNEL_TYPES), _concurrency())
        drained = _drain(stack, api, database, _NOTIFICATIONS)
        progress("the emulator's bare rate")
        messages = [b"x" * _MESSAGE_BYTES] * (_NOTIFICATIONS * len(CHANNEL_TYPES))
        bare = drain_rate(where, messages, len(CHANNEL_TYPES), _concurrency())
    _report(drained, bare)


def _drain(stack: Stack, api: httpx.Client, database: psycopg.Connection, notifications: int) -> Drained:
    """Accept ``notifications`` over every channel while nothing is pushed; then let it all go.

    It ends with the last outcome, whatever that is: a function that cannot work for long leaves a dead letter.
    """
    before = _pushed(stack)
    accounted_before = _account(database)
    progress(f"accepting {notifications} notifications over {len(CHANNEL_TYPES)} channels")
    with _paused(stack.child("push_bridge")):
        _send(stack, api, notifications)
        while _account(database).get("pending", 0):
            time.sleep(_POLL_SECONDS)
        progress("draining")
    began = time.monotonic()
    done: dict[str, float] = {}
    while True:
        took = time.monotonic() - began
        for kind, pushed in _pushed(stack).items():
            if pushed - before[kind] >= notifications:
                done.setdefault(kind, took)
        account = _account(database)
        if not any(account.get(status) for status in OPEN):
            ended = {status: count - accounted_before.get(status, 0) for status, count in account.items()}
            return Drained({kind: done.get(kind, took) for kind in CHANNEL_TYPES}, took, ended)
        if took > _DEADLINE_SECONDS:
            message = f"After {took:.0f} s the account is {account}, and only {sorted(done)} are done."
            raise TimeoutError(message)
        time.sleep(_POLL_SECONDS)


@contextmanager
def _paused(child: Child) -> Iterator[None]:
    """Hold a process still for a few seconds: shorter than a message's deadline, so that nothing comes twice."""
    child.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        child.process.send_signal(signal.SIGCONT)


def _send(stack: Stack, api: httpx.Client, notifications: int) -> None:
    one = {
        "user_id": "u1",
        "event_type": "payment",
        "channels": list(CHANNEL_TYPES),
        "payload": {"amount": 10},
        "to": {"webhook": f"{stack.layout.sandbox_url}/webhook/bench"},
    }
    for start in range(0, notifications, _AT_ONCE):
        many = {"notifications": [one] * min(_AT_ONCE, notifications - start)}
        api.post("/v1/notifications/batch", json=many).raise_for_status()


def _make_person(api: httpx.Client) -> None:
    api.put("/v1/users/u1", json={"email": "u1@example.com", "phone": "+447700900123"}).raise_for_status()
    api.post("/v1/users/u1/devices", json={"token": "device-of-u1", "platform": "android"}).raise_for_status()


def _pushed(stack: Stack) -> dict[str, int]:
    """How many messages each channel's function has said it is done with."""
    stats = httpx.get(f"{stack.layout.bridge_url}/stats").raise_for_status().json()
    return {kind: stats[channel.subscription].get("204", 0) for kind, channel in TOPOLOGY.items()}


def _account(database: psycopg.Connection) -> dict[str, int]:
    """How many deliveries there are, by status."""
    return dict(database.execute("select status, count(*) from deliveries group by status").fetchall())


def _concurrency() -> int:
    return max(channel.concurrency for channel in TOPOLOGY.values())


def _report(drained: Drained, bare: float) -> None:
    deliveries = _NOTIFICATIONS * len(CHANNEL_TYPES)
    print(f"{f'{_NOTIFICATIONS} notifications, {deliveries} deliveries':38} {'seconds':>8} {'deliveries/s':>13}")
    for kind, seconds in sorted(drained.providers.items()):
        print(f"  {TOPOLOGY[kind].title:36} {seconds:8.1f} {_NOTIFICATIONS / seconds:13.0f}")
    last = max(drained.providers.values())
    for name, seconds in (("with the providers", last), ("outcome recorded", drained.recorded)):
        print(f"  {f'all {name}':36} {seconds:8.1f} {deliveries / seconds:13.0f}")
    print(f"  {'the emulator alone':36} {deliveries / bare:8.1f} {bare:13.0f}")
    print(f"  account: {', '.join(f'{count} {status}' for status, count in drained.accounted.items())}\n")
    rate = deliveries / last
    result = {
        "drain_over_bare": round(rate / bare, 2),
        "recorded_over_bare": round(deliveries / drained.recorded / bare, 2),
        "deliveries_per_second": round(rate),
        "notifications_per_second": round(rate / len(CHANNEL_TYPES)),
        "missing": deliveries - drained.accounted.get("sent", 0),
    }
    print(json.dumps({"bench": "drain", **result}))


if __name__ == "__main__":
    main()
