"""``python -m bench.latency``: measures the time from POST to the callback of an inbox listener, hop by hop.

Requests come at a constant rate. The baseline, in the same run at the same rate, is what the emulators take for their
part: publish a message, pull it, create a document, notify the listener.
"""

import json
import statistics
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
from google.cloud.firestore import Client

from bench.baseline import baseline_topic, pulling
from bench.fixtures import progress, running_stack
from bench.inboxes import listening, wait_for
from functions.google.inbox import inbox_of
from local.emulators import Emulators

_PER_SECOND = 50
_SECONDS = 20
_WARM_UP_SECONDS = 4
_WORKERS = 16
_TIMEOUT_SECONDS = 30.0
_USERS = 25

Trip = dict[str, float]
"""When a notification was at each point of its path, in order, in Unix seconds."""


def main() -> None:
    with running_stack() as (stack, api):
        emulators = stack.config.emulators
        firestore = Client(project=emulators.project)
        ours, baseline = _through_heliograph, _through_emulators
        progress("warming up")
        ours(api, firestore, _WARM_UP_SECONDS)
        baseline(emulators, firestore, _WARM_UP_SECONDS)
        progress(f"from POST to callback, {_SECONDS} s")
        trips = ours(api, firestore, _SECONDS)
        progress(f"the baseline: the emulators alone, {_SECONDS} s")
        baseline_trips = baseline(emulators, firestore, _SECONDS)
    _print_table("POST to a listener's callback", trips)
    _print_table("baseline: the emulators alone", baseline_trips)
    p50, p99 = _percentiles([_total_ms(trip) for trip in trips])
    baseline_p50, baseline_p99 = _percentiles([_total_ms(trip) for trip in baseline_trips])
    result = {
        "p50_over_baseline": round(p50 / baseline_p50, 2),
        "p99_over_baseline": round(p99 / baseline_p99, 2),
        "p50_ms": round(p50, 1),
        "p99_ms": round(p99, 1),
        "shares": _shares(trips),
        "unseen": _PER_SECOND * _SECONDS - len(trips),
    }
    print(json.dumps({"bench": "latency", **result}))


def pace(count: int, act: Callable[[int], None]) -> None:
    """Call ``act(number)`` ``count`` times at the constant rate, however long each call takes. Raises what it raises.

    This is an open loop: a slow call does not delay the start of the next one, unless all threads are busy.
    """
    with ThreadPoolExecutor(_WORKERS) as workers:
        began = time.monotonic()
        calls = []
        for number in range(count):
            time.sleep(max(0.0, began + number / _PER_SECOND - time.monotonic()))
            calls.append(workers.submit(act, number))
        for call in calls:
            call.result()


def _through_heliograph(api: httpx.Client, firestore: Client, seconds: int) -> list[Trip]:
    user_ids = _new_users()
    started: dict[str, Trip] = {}

    def send(number: int) -> None:
        body = {
            "user_id": user_ids[number % _USERS],
            "event_type": "payment",
            "channels": ["inapp"],
            "payload": {"amount": 10},
        }
        sent = time.time()
        response = api.post("/v1/notifications", json=body).raise_for_status()
        started[response.json()["notification_id"]] = {"POST": sent, "accepted": time.time()}

    with listening(firestore, user_ids) as seen:
        pace(_PER_SECOND * seconds, send)
        arrived = wait_for(seen, list(started), _TIMEOUT_SECONDS)
    with ThreadPoolExecutor(_WORKERS) as workers:
        timelines = dict(zip(arrived, workers.map(lambda each: _timeline(api, each), arrived), strict=True))
    return [{**started[each], **timelines[each], "callback": seen[each]} for each in arrived]


def _timeline(api: httpx.Client, notification_id: str) -> Trip:
    """The times in the notification's timeline, read once the publisher has recorded the outcome."""
    while True:
        timeline = api.get(f"/v1/notifications/{notification_id}").raise_for_status().json()["timeline"]
        at = {entry["event"]: datetime.fromisoformat(entry["at"]).timestamp() for entry in timeline}
        if "sent" in at:
            return {name: at[name] for name in ("published", "received", "sent")}
        time.sleep(1 / _PER_SECOND)


def _through_emulators(emulators: Emulators, firestore: Client, seconds: int) -> list[Trip]:
    user_ids, count = _new_users(), _PER_SECOND * seconds
    ids = [uuid.uuid4().hex for _ in range(count)]
    user_of = {each: user_ids[number % _USERS] for number, each in enumerate(ids)}
    trips: dict[str, Trip] = {each: {} for each in ids}
    lock = threading.Lock()

    def write(data: bytes) -> None:
        pulled, each = time.time(), data.decode()
        inbox_of(firestore, user_of[each]).document(each).create(_document(each))
        with lock:
            trips[each] |= {"pulled": pulled, "created": time.time()}

    with baseline_topic(emulators) as topic, listening(firestore, user_ids) as seen, pulling(topic, write, _WORKERS):

        def publish(number: int) -> None:
            sent = time.time()
            topic.publish([ids[number].encode()])
            with lock:
                trips[ids[number]] |= {"publish": sent, "published": time.time()}

        pace(count, publish)
        arrived = wait_for(seen, ids, _TIMEOUT_SECONDS)
    order = ("publish", "published", "pulled", "created")
    return [{**{name: trips[each][name] for name in order}, "callback": seen[each]} for each in arrived]


def _document(notification_id: str) -> dict[str, Any]:
    """A document like those that the inapp function writes."""
    now = datetime.now(UTC)
    return {
        "notification_id": notification_id,
        "delivery_id": notification_id,
        "event_type": "payment",
        "title": "payment",
        "body": "amount: 10",
        "url": None,
        "data": {"amount": 10},
        "actor_user_id": None,
        "priority": 100,
        "created_at": now,
        "delivered_at": now,
        "seen_at": None,
        "read_at": None,
        "archived_at": None,
        "expire_at": now + timedelta(days=90),
    }


def _new_users() -> list[str]:
    """Ids of users whose inboxes are empty."""
    return [uuid.uuid4().hex for _ in range(_USERS)]


def _total_ms(trip: Trip) -> float:
    points = list(trip.values())
    return (points[-1] - points[0]) * 1000


def _hops(trips: Sequence[Trip]) -> dict[str, list[float]]:
    """The milliseconds that each trip took, by hop."""
    return {
        f"{before} → {after}": [(trip[after] - trip[before]) * 1000 for trip in trips]
        for before, after in pairwise(trips[0])
    }


def _shares(trips: Sequence[Trip]) -> dict[str, float]:
    """Each hop's share of the mean total. The means of the hops add up to it; percentiles would not."""
    total = statistics.fmean(_total_ms(trip) for trip in trips)
    return {hop: round(statistics.fmean(times) / total, 2) for hop, times in _hops(trips).items()}


def _percentiles(times: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(times, n=100)
    return cuts[49], cuts[98]


def _print_table(title: str, trips: Sequence[Trip]) -> None:
    print(f"{title + f', {_PER_SECOND}/s':36} {'p50 ms':>8} {'p99 ms':>8} {'share':>6}")
    shares = _shares(trips)
    for hop, times in _hops(trips).items():
        p50, p99 = _percentiles(times)
        print(f"  {hop:34} {p50:8.1f} {p99:8.1f} {shares[hop]:6.0%}")
    p50, p99 = _percentiles([_total_ms(trip) for trip in trips])
    print(f"  {'total':34} {p50:8.1f} {p99:8.1f} {1:6.0%}\n")


if __name__ == "__main__":
    main()
