"""In which order a sweep publishes what is due: what is urgent first, then each producer in turn."""

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

from publisher_api.outbox.store import claim_due
from publisher_api.settings import Settings
from shared.lanes import URGENT_PRIORITY, Lane
from tests.publisher.sweeping import Sweeping, accept_pending

LIMIT = 50
NOW = datetime.now(UTC)


def add(sweeping: Sweeping, producer: str, count: int, *, due: timedelta, urgent: bool = False) -> None:
    """Add ``count`` pending deliveries of ``producer``. They were due ``due`` ago, one each millisecond."""
    notification_id = uuid.uuid4()
    sweeping.sql(
        """
        insert into notifications
               (notification_id, producer, user_id, event_type, channels, payload, priority, created_at)
        values (%s, %s, 'ada', 'payment', '{inapp}', '{}', 100, now())
        """,
        notification_id,
        producer,
    )
    sweeping.sql(
        """
        insert into deliveries
               (delivery_id, notification_id, kind, slug, status, recipient, content, due_at, expires_at, sweep_at,
                urgent, updated_at)
        select gen_random_uuid(), %s, 'inapp', 'inapp', 'pending', 'ada', '{}', at, at + interval '1 day', at, %s, at
          from generate_series(1, %s) as number, lateral (select %s + number * interval '1 ms' as at) as times
        """,
        notification_id,
        urgent,
        count,
        NOW - due,
    )


def claimed(sweeping: Sweeping) -> list[str]:
    """Claim once; returns the producer of each claimed delivery, in order."""
    with sweeping.pool.connection() as connection:
        due = claim_due(connection, NOW, LIMIT)
        rows = connection.execute(
            "select d.delivery_id::text, producer from deliveries d join notifications using (notification_id)"
        ).fetchall()
    producer_of = {row["delivery_id"]: row["producer"] for row in rows}
    return [producer_of[each.delivery_id] for each in due]


def test_what_is_urgent_is_claimed_before_what_is_due_for_longer(sweeping: Sweeping) -> None:
    add(sweeping, "flood", 10 * LIMIT, due=timedelta(hours=1))
    add(sweeping, "shop", 3, due=timedelta(minutes=10), urgent=True)
    assert claimed(sweeping)[:4] == ["shop", "shop", "shop", "flood"]


def test_a_backlog_of_one_producer_does_not_delay_what_another_has_due_now(sweeping: Sweeping) -> None:
    add(sweeping, "flood", 10 * LIMIT, due=timedelta(hours=1))
    add(sweeping, "shop", 3, due=timedelta(seconds=5))
    assert claimed(sweeping)[:6] == ["flood", "shop", "flood", "shop", "flood", "shop"]


def test_what_is_due_for_the_longest_time_is_claimed_although_more_becomes_due(sweeping: Sweeping) -> None:
    add(sweeping, "old", 1, due=timedelta(hours=1))
    add(sweeping, "flood", 10 * LIMIT, due=timedelta(seconds=20))
    assert "old" in claimed(sweeping)


def test_urgent_deliveries_leave_a_fifth_of_a_claim_to_others(sweeping: Sweeping) -> None:
    add(sweeping, "flood", 10 * LIMIT, due=timedelta(hours=1), urgent=True)
    add(sweeping, "shop", 10 * LIMIT, due=timedelta(minutes=10))
    assert Counter(claimed(sweeping)) == {"flood": LIMIT * 4 // 5, "shop": LIMIT // 5}


def test_every_delivery_is_claimed_once(sweeping: Sweeping) -> None:
    for producer in ("flood", "shop", "bank"):
        add(sweeping, producer, 2 * LIMIT, due=timedelta(minutes=10))
        add(sweeping, producer, LIMIT, due=timedelta(seconds=10), urgent=True)
    found: Counter[str] = Counter()
    while now := claimed(sweeping):
        found.update(now)
    assert found == dict.fromkeys(("flood", "shop", "bank"), 3 * LIMIT)


def test_what_was_left_over_is_published_in_the_lane_of_its_priority(unswept: Settings, sweeping: Sweeping) -> None:
    lanes = {
        accept_pending(unswept, priority=priority): lane
        for priority, lane in ((100, Lane.NORMAL), (URGENT_PRIORITY, Lane.URGENT))
    }
    assert sweeping.at(datetime.now(UTC)) == 2
    for notification_id, lane in lanes.items():
        (message,) = sweeping.published.deliveries(notification_id)
        assert message.lane is lane
    rows = sweeping.sql("select urgent from deliveries order by urgent")
    assert [row["urgent"] for row in rows] == [False, True]
