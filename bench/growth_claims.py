"""Measures a sweep's claim while the table of deliveries grows.

Deliveries go through their life (accepted, queued, sent) at a hundred per second of simulated time. After each portion,
50 new ones are due, and the claim that finds them is measured: ``lately``, which most sweeps use, and ``complete``,
which reads the index from its start. The second run has a session that is idle in a transaction from the beginning. So
Postgres may not remove what is dead, as during a long report or a backup.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.rows import dict_row

from bench.fixtures import progress
from local import postgres
from postgres.pool import Connected
from publisher_api.outbox.store import claim_due
from publisher_api.outbox.sweeper import LATELY

_TOTALS = (0, 100_000, 300_000, 900_000)
_PER_SECOND = 100
_DUE = 50
_LIMIT = 500
_REPEATS = 7
_NOTIFICATION = """
    insert into notifications (notification_id, producer, user_id, event_type, channels, payload, priority, created_at)
    values ('00000000-0000-7000-8000-000000000000', 'bench', 'ada', 'payment', '{inapp}', '{}', 100, now())
"""
_DELIVERIES = """
    insert into deliveries (delivery_id, notification_id, kind, slug, status, recipient, content, due_at, expires_at,
                            sweep_at, updated_at)
    select gen_random_uuid(), '00000000-0000-7000-8000-000000000000', 'inapp', 'inapp', 'pending', 'ada', '{}',
           at, at + interval '1 day', at, at
      from generate_series(1, %(count)s) as number, lateral (select %(until)s - number * %(step)s as at) as times
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """How long a claim takes, in milliseconds."""

    lately: float
    complete: float


def measure(server_url: str) -> list[tuple[int, Claim, Claim]]:
    """For each number of deliveries the claims where Postgres may vacuum, and beside an open transaction."""
    quiet = _measure(server_url, "quiet", idle=False)
    open_transaction = _measure(server_url, "open_transaction", idle=True)
    return list(zip(_TOTALS, quiet, open_transaction, strict=True))


def _measure(server_url: str, name: str, *, idle: bool) -> list[Claim]:
    with postgres.database(server_url, name) as url:
        postgres.migrate(url)
        with _idle_in_transaction(url, idle=idle), psycopg.connect(url, row_factory=dict_row) as connection:
            connection.execute(_NOTIFICATION)
            connection.commit()
            now, total, claims = datetime.now(UTC), 0, []
            for wanted in _TOTALS:
                progress(f"{name}: {wanted} deliveries")
                now += timedelta(seconds=(wanted - total) / _PER_SECOND)
                _live(connection, wanted - total, now)
                total = wanted
                claims.append(_claims(connection, now))
        progress("")
    return claims


@contextmanager
def _idle_in_transaction(url: str, *, idle: bool) -> Iterator[None]:
    with psycopg.connect(url) as session:
        if idle:
            session.execute("set transaction isolation level repeatable read")
            session.execute("select count(*) from deliveries")  # takes the snapshot that holds back the vacuum
        yield


def _live(connection: Connected, count: int, until: datetime) -> None:
    """Let deliveries that were due until ``until`` go through their life."""
    _accept(connection, count, until)
    connection.execute(
        "update deliveries set status = 'queued', sweep_at = sweep_at + interval '1 day' where status = 'pending'"
    )
    connection.commit()
    connection.execute("update deliveries set status = 'sent' where status = 'queued'")
    connection.commit()


def _accept(connection: Connected, count: int, until: datetime) -> None:
    step = timedelta(seconds=1 / _PER_SECOND)
    connection.execute(_DELIVERIES, {"count": count, "until": until, "step": step})
    connection.commit()


def _claims(connection: Connected, now: datetime) -> Claim:
    found = {}
    for name, since in (("complete", None), ("lately", now - LATELY)):
        taken = []
        for _ in range(_REPEATS):
            _accept(connection, _DUE, now)
            started = time.perf_counter()
            claimed = claim_due(connection, now, _LIMIT, since)
            connection.commit()
            taken.append((time.perf_counter() - started) * 1000)
            if len(claimed) != _DUE:
                message = f"{name}: {len(claimed)} deliveries were claimed, not {_DUE}"
                raise RuntimeError(message)
            connection.execute("update deliveries set status = 'canceled' where status = 'pending'")
            connection.commit()
        found[name] = statistics.median(taken)
    return Claim(**found)
