"""``python -m bench.accept``: POST /v1/notifications with everything it does.

Beside it, on the same server in the same run: an endpoint that only validates and answers (``hollow``), and a plain
implementation (``naive``).
"""

import json
import statistics
import tempfile
import time
from pathlib import Path

import psycopg

from bench.ground import publisher_ground, serving
from bench.load import Job, Result, load

_ROUNDS = 5
_BATCH = 500
_ONE = {"user_id": "u1", "event_type": "payment", "channels": ["inapp"], "payload": {"amount": 10}}


def main() -> None:
    rounds: dict[str, list[Result]] = {"hollow": [], "naive": [], "accept": [], "batch": []}
    with (
        publisher_ground() as environment,
        tempfile.TemporaryDirectory() as logs,
        serving("bench.accept_app:app", environment, Path(logs) / "server.log") as url,
    ):
        headers = {"Authorization": f"Bearer {environment['API_KEY']}"}
        one, many = json.dumps(_ONE), json.dumps({"notifications": [_ONE] * _BATCH})
        jobs = {
            "hollow": Job(url=f"{url}/hollow", body=one, headers=headers),
            "naive": Job(url=f"{url}/naive", body=one, headers=headers),
            "accept": Job(url=f"{url}/v1/notifications", body=one, headers=headers),
            "batch": Job(url=f"{url}/v1/notifications/batch", body=many, headers=headers, connections=4),
        }
        # Round by round, so that a slow minute of the machine falls on all of them.
        for number in range(_ROUNDS):
            for name, job in jobs.items():
                print(f"\rround {number + 1} of {_ROUNDS}: {name:8}", end="", flush=True)
                rounds[name].append(load(job))
                _settle(environment["DATABASE_URL"])
    print("\r" + " " * 40 + "\r", end="")
    _report(rounds)


def _settle(database_url: str) -> None:
    """Wait until all that was accepted is published, so that nobody pays for another's work."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        while connection.execute("select from deliveries where status = 'pending' limit 1").fetchone() is not None:
            time.sleep(0.1)


def _report(rounds: dict[str, list[Result]]) -> None:
    medians = {
        name: sorted(results, key=lambda result: result.rate)[len(results) // 2] for name, results in rounds.items()
    }
    print(f"{'':8} {'requests/s':>11} {'notif./s':>10} {'p50 ms':>8} {'p99 ms':>8} {'failed':>7}")
    for name, result in medians.items():
        notifications = result.rate * (_BATCH if name == "batch" else 1)
        print(
            f"{name:8} {result.rate:11.1f} {notifications:10.0f} {result.p50:8.2f} {result.p99:8.2f} {result.failed:7}"
        )
    for failure in {result.failure for results in rounds.values() for result in results if result.failure}:
        print(failure)

    def ratio(one: str, other: str) -> float:
        # Of each round, and then the median: the machine is quicker in one minute than in the next.
        return statistics.median(a.rate / b.rate for a, b in zip(rounds[one], rounds[other], strict=True))

    ratios = {
        "accept_over_hollow": round(ratio("accept", "hollow"), 2),
        "accept_over_naive": round(ratio("accept", "naive"), 2),
        "batch_over_accept": round(ratio("batch", "accept") * _BATCH, 2),
        "accept_p99_ms": medians["accept"].p99,
        "failed": sum(result.failed for results in rounds.values() for result in results),
    }
    print(json.dumps({"bench": "accept", **ratios}))


if __name__ == "__main__":
    main()
