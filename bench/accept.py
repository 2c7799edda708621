"""``python -m bench.accept``: measures POST /v1/notifications, from authentication to the commit.

For comparison, the same run measures two more routes on the same server: ``validate_only``, which validates the request
and responds, and ``naive``, a straightforward implementation. ``limited`` and ``limited_batch`` are ``accept`` and
``batch`` with a limit of the producer in force that is never reached.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path

import httpx
import psycopg

from bench.fixtures import progress, publisher_environment, serving
from bench.load import Job, Result, load

_ROUNDS = 5
_BATCH = 500
_ONE = {"user_id": "u1", "event_type": "payment", "channels": ["inapp"], "payload": {"amount": 10}}


def main() -> None:
    names = ("validate_only", "naive", "accept", "limited", "batch", "limited_batch")
    rounds: dict[str, list[Result]] = {name: [] for name in names}
    with (
        publisher_environment() as environment,
        tempfile.TemporaryDirectory() as logs,
        serving("bench.accept_app:app", environment, Path(logs) / "server.log") as url,
    ):
        headers = {"Authorization": f"Bearer {environment['API_KEY']}"}
        one, many = json.dumps(_ONE), json.dumps({"notifications": [_ONE] * _BATCH})
        jobs = {
            "validate_only": Job(url=f"{url}/validate_only", body=one, headers=headers),
            "naive": Job(url=f"{url}/naive", body=one, headers=headers),
            "accept": Job(url=f"{url}/v1/notifications", body=one, headers=headers),
            "batch": Job(url=f"{url}/v1/notifications/batch", body=many, headers=headers, connections=4),
        }
        jobs |= {"limited": jobs["accept"], "limited_batch": jobs["batch"]}
        # Every round measures every route, so that a slow minute of the machine affects all of them.
        for number in range(_ROUNDS):
            for name in names:
                progress(f"round {number + 1} of {_ROUNDS}: {name}")
                _set_limit(url, headers, in_force=name.startswith("limited"))
                rounds[name].append(load(jobs[name]))
                _wait_until_published(environment["DATABASE_URL"])
    progress("")
    _report(rounds)


def _set_limit(url: str, headers: dict[str, str], *, in_force: bool) -> None:
    path = f"{url}/v1/limits/producer"
    if in_force:
        httpx.put(path, headers=headers, json={"limit": 1_000_000, "window_seconds": 1}).raise_for_status()
    else:
        httpx.delete(path, headers=headers)


def _wait_until_published(database_url: str) -> None:
    """Wait until every accepted delivery is published, so that this work does not slow the next measurement."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        while connection.execute("select from deliveries where status = 'pending' limit 1").fetchone() is not None:
            time.sleep(0.1)


def _report(rounds: dict[str, list[Result]]) -> None:
    medians = {
        name: sorted(results, key=lambda result: result.rate)[len(results) // 2] for name, results in rounds.items()
    }
    print(f"{'':13} {'requests/s':>11} {'notif./s':>10} {'p50 ms':>8} {'p99 ms':>8} {'failed':>7}")
    for name, result in medians.items():
        notifications = result.rate * (_BATCH if name.endswith("batch") else 1)
        print(
            f"{name:13} {result.rate:11.1f} {notifications:10.0f} {result.p50:8.2f} {result.p99:8.2f} {result.failed:7}"
        )
    for failure in {result.failure for results in rounds.values() for result in results if result.failure}:
        print(failure)

    def ratio(one: str, other: str) -> float:
        # The median of the ratios of each round, because the speed of the machine changes between rounds.
        return statistics.median(a.rate / b.rate for a, b in zip(rounds[one], rounds[other], strict=True))

    ratios = {
        "accept_over_validate_only": round(ratio("accept", "validate_only"), 2),
        "accept_over_naive": round(ratio("accept", "naive"), 2),
        "batch_over_accept": round(ratio("batch", "accept") * _BATCH, 2),
        "limited_over_accept": round(ratio("limited", "accept"), 2),
        "limited_batch_over_batch": round(ratio("limited_batch", "batch"), 2),
        "accept_p99_ms": medians["accept"].p99,
        "failed": sum(result.failed for results in rounds.values() for result in results),
    }
    print(json.dumps({"bench": "accept", **ratios}))


if __name__ == "__main__":
    main()
