"""A sweep reads no dead entries of what became due long ago, also while Postgres cannot remove them."""

from datetime import UTC, datetime, timedelta

import psycopg

from postgres.pool import Connected, fetch_one
from publisher_api.outbox import store as outbox
from publisher_api.outbox.sweeper import LATELY, Sweeper
from publisher_api.settings import Settings
from tests.publisher.sweeping import Sweeping, accept_pending
from tests.publisher.topic import waiting_for

SENT_BEFORE = 5000


def entries_read(connection: Connected, now: datetime, since: datetime | None) -> int:
    """How many entries of the index a claim reads. The claim is rolled back."""
    before = _entries_read(connection)
    outbox.claim_due(connection, now, 500, since)
    after = _entries_read(connection)
    connection.rollback()
    return after - before


def _entries_read(connection: Connected) -> int:
    cursor = connection.execute("select pg_stat_get_xact_tuples_returned('deliveries_to_sweep'::regclass) as read")
    read: int = fetch_one(cursor)["read"]
    return read


def test_a_sweep_of_what_became_due_lately_reads_no_entries_of_earlier_deliveries(
    unswept: Settings, sweeping: Sweeping
) -> None:
    accept_pending(unswept)
    now = datetime.now(UTC)
    with psycopg.connect(unswept.database_url) as report, sweeping.pool.connection() as connection:
        report.execute("set transaction isolation level repeatable read")
        report.execute("select count(*) from deliveries")
        connection.execute(
            """
            insert into deliveries (delivery_id, notification_id, kind, slug, status, recipient, content, due_at,
                                    expires_at, sweep_at, updated_at)
            select gen_random_uuid(), notification_id, kind, slug, status, recipient, content, due_at, expires_at,
                   %s, updated_at
              from deliveries, generate_series(1, %s)
            """,
            [now - timedelta(minutes=5), SENT_BEFORE],
        )
        connection.commit()
        connection.execute(
            "update deliveries set status = 'canceled' where sweep_at < %s", [now - timedelta(minutes=4)]
        )
        connection.commit()
        assert entries_read(connection, now, None) > SENT_BEFORE
        assert entries_read(connection, now, now - LATELY) < 10


def test_the_sweeper_still_finds_what_became_due_long_ago(unswept: Settings, sweeping: Sweeping) -> None:
    swept = Sweeper(
        sweeping.pool,
        sweeping.topic,
        sweeping.cache,
        sweeping.shares,
        lambda: datetime.now(UTC),
        (),
        0.1,
        read_epoch=lambda: None,
    )
    swept.start()
    try:
        for _ in range(2):  # the first sweep is complete; a later one must be, too
            accept_pending(unswept)
            sweeping.sql("update deliveries set sweep_at = now() - interval '1 hour' where status = 'pending'")
            waiting_for(
                lambda: not sweeping.sql("select from deliveries where status = 'pending'"), "the delivery to be swept"
            )
    finally:
        swept.stop()
