"""A sweep of large deliveries does not hold all of them in memory."""

import tracemalloc
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from local.emulators import Emulators
from local.pubsub_setup import clients
from publisher_api.settings import Settings
from tests.publisher.sweeping import Sweeping, accept_pending
from transport.pubsub import topic_path

pytestmark = pytest.mark.emulators
DELIVERIES = 60
MEGABYTE = 1_000_000


@pytest.fixture
def sweeping(unswept: Settings, emulators: Emulators) -> Iterator[Sweeping]:
    """A sweep that publishes to a topic of its own: no other test's subscription receives these large messages."""
    with clients(emulators.pubsub_host) as (google, _):
        google.create_topic(name=topic_path(unswept.project, name := f"large-{uuid.uuid4().hex}"))
    with Sweeping.of(replace(unswept, topic=name)) as sweeping:
        yield sweeping


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
