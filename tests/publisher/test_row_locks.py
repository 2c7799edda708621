"""The relay, the sweeper and the recording of outcomes lock the rows of deliveries in one order."""

import random
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from postgres.pool import Pool, make_pool
from publisher_api.deliveries.service import record_outcomes
from publisher_api.outbox import store as outbox
from shared.envelope import Delivery
from shared.outcomes import Outcome
from tests.factories import make_delivery

ROWS = 200
TURNS = 15
THREADS = 4
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def deliveries(postgres_url: str) -> list[Delivery]:
    """Deliveries that are pending, and due in a year, so that no sweep takes them."""
    notification_id = str(uuid.uuid4())
    made = [make_delivery("inapp", notification_id=notification_id, round=0) for _ in range(ROWS)]
    later = datetime.now(UTC) + timedelta(days=365)
    with psycopg.connect(postgres_url) as connection:
        connection.execute(
            """
            insert into notifications (notification_id, producer, user_id, event_type, channels, payload, priority,
                                       created_at)
            values (%s, 'tests', 'ada', 'payment', '{inapp}', '{}', 100, now())
            """,
            [notification_id],
        )
        connection.execute(
            """
            insert into deliveries (delivery_id, notification_id, kind, slug, status, recipient, content, due_at,
                                    expires_at, sweep_at, updated_at)
            select id, %(notification)s, 'inapp', 'inapp', 'pending', 'ada', '{}', %(later)s, %(later)s, %(later)s,
                   now()
              from unnest(%(ids)s::uuid[]) as ids (id)
            """,
            {"notification": notification_id, "later": later, "ids": [each.delivery_id for each in made]},
        )
    return made


def mark(pool: Pool, deliveries: list[Delivery]) -> None:
    with pool.connection() as connection:
        outbox.mark_queued(connection, deliveries, NOW)


def record_failed(pool: Pool, deliveries: list[Delivery]) -> None:
    record_outcomes(
        pool,
        [
            Outcome(
                notification_id=each.notification_id, delivery_id=each.delivery_id, round=0, result="failed", at=NOW
            )
            for each in deliveries
        ],
    )


def test_marking_and_recording_the_same_deliveries_at_once_never_deadlocks(
    postgres_url: str, deliveries: list[Delivery]
) -> None:
    def make_pending() -> None:
        with psycopg.connect(postgres_url) as connection:
            connection.execute("update deliveries set status = 'pending' where status = 'failed'")

    together = threading.Barrier(THREADS, make_pending)

    def work(number: int) -> int:
        deadlocks = 0
        for _ in range(TURNS):
            shuffled = random.sample(deliveries, len(deliveries))
            together.wait()
            try:
                (mark if number % 2 else record_failed)(pool, shuffled)
            except psycopg.errors.DeadlockDetected:
                deadlocks += 1
        return deadlocks

    with make_pool(postgres_url, THREADS) as pool, ThreadPoolExecutor(THREADS) as threads:
        assert sum(threads.map(work, range(THREADS))) == 0
