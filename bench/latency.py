"""``python -m bench.latency``: from POST to the callback of a listener to the inbox, at a steady pace, hop by hop.

Beside it, in the same run at the same pace, what the emulators take for their part alone: publish a message, pull it,
create a document, hear of it.
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

from bench.bare import bare_topic, pulling
from bench.inboxes import listening, wait_for
from bench.whole import progress, whole_stack
from functions.inapp.inbox import inbox_of
from local.emulators import Emulators

_PER_SECOND = 50
_SECONDS = 20
_WARM_UP_SECONDS = 4
_WORKERS = 16
_PATIENCE_SECONDS = 30.0
_PEOPLE = 25

Trip = dict[str, float]
"""When (seconds since the epoch) a notification was at each point of its way, in order."""


def main() -> None:
    with whole_stack() as (stack, api):
        where = stack.layout.emulators
        firestore = Client(project=where.project)
        ours, bare = _through_heliograph, _through_emulators
        progress("warming up")
        ours(api, firestore, _WARM_UP_SECONDS)
        bare(where, firestore, _WARM_UP_SECONDS)
        progress(f"the whole path, {_SECONDS} s")
        trips = ours(api, firestore, _SECONDS)
        progress(f"the emulators' bare path, {_SECONDS} s")
        bare_trips = bare(where, firestore, _SECONDS)
    _print_table("POST to a listener's callback", trips)
    _print_table("the emulators alone", bare_trips)
    p50, p99 = _percentiles([_whole(trip) for trip in trips])
    bare_p50, bare_p99 = _percentiles([_whole(trip) for trip in bare_trips])
    result = {
        "p50_over_bare": round(p50 / bare_p50, 2),
        "p99_over_bare": round(p99 / bare_p99, 2),
        "p50_ms": round(p50, 1),
        "p99_ms": round(p99, 1),
        "shares": _shares(trips),
        "unseen": _PER_SECOND * _SECONDS - len(trips),
    }
    print(json.dumps({"bench": "latency", **result}))


def pace(count: int, act: Callable[[int], None]) -> None:
    """Call ``act(number)`` ``count`` times at the pace, however long each takes (an open loop). Raises what it raised.

    A call that finds no thread free starts late and measures from its turn, so a stall is not forgiven.
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
    people = _strangers()
    begun: dict[str, Trip] = {}

    def send(number: int) -> None:
        body = {
            "user_id": people[number % _PEOPLE],
            "event_type": "payment",
            "channels": ["inapp"],
            "payload": {"amount": 10},
        }
        sent = time.time()
        answer = api.post("/v1/notifications", json=body).raise_for_status()
        begun[answer.json()["notification_id"]] = {"POST": sent, "accepted": time.time()}

    with listening(firestore, people) as seen:
        pace(_PER_SECOND * seconds, send)
        arrived = wait_for(seen, list(begun), _PATIENCE_SECONDS)
    with ThreadPoolExecutor(_WORKERS) as workers:
        stories = dict(zip(arrived, workers.map(lambda each: _story(api, each), arrived), strict=True))
    return [{**begun[each], **stories[each], "callback": seen[each]} for each in arrived]


def _story(api: httpx.Client, notification_id: str) -> Trip:
    """What the functions and the publisher wrote down, once the outcome has come home."""
    while True:
        timeline = api.get(f"/v1/notifications/{notification_id}").raise_for_status().json()["timeline"]
        at = {entry["event"]: datetime.fromisoformat(entry["at"]).timestamp() for entry in timeline}
        if "sent" in at:
            return {name: at[name] for name in ("published", "received", "sent")}
        time.sleep(1 / _PER_SECOND)


def _through_emulators(where: Emulators, firestore: Client, seconds: int) -> list[Trip]:
    people, count = _strangers(), _PER_SECOND * seconds
    ids = [uuid.uuid4().hex for _ in range(count)]
    person_of = {each: people[number % _PEOPLE] for number, each in enumerate(ids)}
    trips: dict[str, Trip] = {each: {} for each in ids}
    lock = threading.Lock()

    def write(data: bytes) -> None:
        pulled, each = time.time(), data.decode()
        inbox_of(firestore, person_of[each]).document(each).create(_document(each))
        with lock:
            trips[each] |= {"pulled": pulled, "created": time.time()}

    with bare_topic(where) as topic, listening(firestore, people) as seen, pulling(topic, write, _WORKERS):

        def publish(number: int) -> None:
            sent = time.time()
            topic.publish([ids[number].encode()])
            with lock:
                trips[ids[number]] |= {"publish": sent, "published": time.time()}

        pace(count, publish)
        arrived = wait_for(seen, ids, _PATIENCE_SECONDS)
    order = ("publish", "published", "pulled", "created")
    return [{**{name: trips[each][name] for name in order}, "callback": seen[each]} for each in arrived]


def _document(notification_id: str) -> dict[str, Any]:
    """As the inapp function writes it."""
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
        "read_at": None,
        "expire_at": now + timedelta(days=90),
    }


def _strangers() -> list[str]:
    """People whose inboxes are empty."""
    return [uuid.uuid4().hex for _ in range(_PEOPLE)]


def _whole(trip: Trip) -> float:
    points = list(trip.values())
    return (points[-1] - points[0]) * 1000


def _hops(trips: Sequence[Trip]) -> dict[str, list[float]]:
    """Milliseconds of every trip, by hop."""
    return {
        f"{before} → {after}": [(trip[after] - trip[before]) * 1000 for trip in trips]
        for before, after in pairwise(trips[0])
    }


def _shares(trips: Sequence[Trip]) -> dict[str, float]:
    """The part each hop has in the mean; the means of the hops add up to it, which percentiles would not."""
    whole = statistics.fmean(_whole(trip) for trip in trips)
    return {hop: round(statistics.fmean(times) / whole, 2) for hop, times in _hops(trips).items()}


def _percentiles(times: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(times, n=100)
    return cuts[49], cuts[98]


def _print_table(title: str, trips: Sequence[Trip]) -> None:
    print(f"{title + f', {_PER_SECOND}/s':36} {'p50 ms':>8} {'p99 ms':>8} {'share':>6}")
    shares = _shares(trips)
    for hop, times in _hops(trips).items():
        p50, p99 = _percentiles(times)
        print(f"  {hop:34} {p50:8.1f} {p99:8.1f} {shares[hop]:6.0%}")
    p50, p99 = _percentiles([_whole(trip) for trip in trips])
    print(f"  {'all of it':34} {p50:8.1f} {p99:8.1f} {1:6.0%}\n")


if __name__ == "__main__":
    main()
