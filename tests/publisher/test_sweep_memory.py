"""A sweep of large deliveries does not hold all of them in memory."""

import tracemalloc
from datetime import UTC, datetime

from publisher_api.settings import Settings
from tests.publisher.sweeping import Sweeping, accept_pending

DELIVERIES = 60
MEGABYTE = 1_000_000


def test_a_chunk_is_bounded_by_bytes(unswept: Settings, sweeping: Sweeping) -> None:
    accept_pending(unswept)
    sweeping.sql(
        """
        insert into deliveries (delivery_id, notification_id, kind, slug, status, recipient, content, due_at,
                                expires_at, sweep_at, updated_at)
        select gen_random_uuid(), notification_id, kind, slug, status, recipient,
               jsonb_build_object('title', repeat('x', %s)), due_at, expires_at, sweep_at, updated_at
          from deliveries, generate_series(2, %s)
        """,
        MEGABYTE,
        DELIVERIES,
    )
    tracemalloc.start()
    try:
        assert sweeping.at(datetime.now(UTC)) == DELIVERIES
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < DELIVERIES * MEGABYTE


def test_a_delivery_that_is_larger_than_a_chunk_is_published(unswept: Settings, sweeping: Sweeping) -> None:
    accept_pending(unswept)
    sweeping.sql("update deliveries set content = jsonb_build_object('title', repeat('x', 8500000))")
    assert sweeping.at(datetime.now(UTC)) == 1
