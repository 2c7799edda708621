"""Expired keys are deleted in bounded steps, and no request waits for it."""

from datetime import UTC, datetime

import psycopg
import pytest

from publisher_api.db.expired_rows import STEP, delete_some_expired_rows
from publisher_api.settings import Settings
from tests.publisher.running import serving
from tests.publisher.sweeping import Sweeping
from tests.publisher.topic import waiting_for

ADD_EXPIRED = """
    insert into dedup_keys (producer, dedup_key, notification_id, expires_at)
    select 'tests', number::text, gen_random_uuid(), now() - interval '1 second'
      from generate_series(1, %s) as number
"""


def keys(sweeping: Sweeping) -> list[str]:
    return [row["dedup_key"] for row in sweeping.sql("select dedup_key from dedup_keys")]


def test_a_step_deletes_a_bounded_number_of_keys(sweeping: Sweeping) -> None:
    sweeping.sql(ADD_EXPIRED, STEP + 2000)
    now = datetime.now(UTC)
    assert delete_some_expired_rows(sweeping.pool, now) is True
    assert len(keys(sweeping)) == 2000
    assert delete_some_expired_rows(sweeping.pool, now) is False
    assert keys(sweeping) == []


def test_an_expired_key_that_is_used_again_blocks_no_other(unswept: Settings, sweeping: Sweeping) -> None:
    sweeping.sql(ADD_EXPIRED, 3)
    with psycopg.connect(unswept.database_url) as request:
        request.execute("update dedup_keys set expires_at = now() + interval '1 day' where dedup_key = '2'")
        delete_some_expired_rows(sweeping.pool, datetime.now(UTC))
    assert keys(sweeping) == ["2"]


ADD_STATE = {
    "state.ledger": """
        insert into state.ledger (key, lease_until, expire_at) values ('old', now(), now() - interval '1 s'),
                                                                      ('new', now(), now() + interval '1 day')
    """,
    "state.inbox": """
        insert into state.inbox (user_id, notification_id, delivery_id, event_type, title, body, data, priority,
                                 created_at, delivered_at, expire_at)
        select 'ada', key, 'd', 'payment', 'Paid', '', '{}', 1, now(), now(), now() + age::interval
          from (values ('old', '-1 second'), ('new', '1 day')) as entries (key, age)
    """,
}


@pytest.mark.parametrize(("table", "key"), [("state.ledger", "key"), ("state.inbox", "notification_id")])
def test_expired_rows_of_the_functions_are_deleted(sweeping: Sweeping, table: str, key: str) -> None:
    sweeping.sql(ADD_STATE[table])
    delete_some_expired_rows(sweeping.pool, datetime.now(UTC))
    assert [row[key] for row in sweeping.sql(f"select {key} from {table}")] == ["new"]  # noqa: S608 - from the list above


def test_devices_that_were_not_seen_for_270_days_are_deleted(sweeping: Sweeping) -> None:
    sweeping.sql("insert into users (user_id) values ('ada')")
    sweeping.sql("""
        insert into devices (device_id, user_id, token, platform, seen_at)
        select gen_random_uuid(), 'ada', days, 'ios', now() - days::interval
          from (values ('269 days'), ('271 days')) as devices (days)
    """)
    delete_some_expired_rows(sweeping.pool, datetime.now(UTC))
    assert sweeping.sql("select token from devices") == [{"token": "269 days"}]


def test_buckets_that_are_full_for_an_hour_are_deleted(sweeping: Sweeping) -> None:
    """The clock of the publisher may be ahead of the one that says when a bucket is full."""
    sweeping.sql("""
        insert into limit_buckets (bucket, full_at, refill, window_us)
        select minutes, now() - minutes::interval, 1, 1000000
          from (values ('-10 minutes'), ('50 minutes'), ('70 minutes')) as buckets (minutes)
    """)
    delete_some_expired_rows(sweeping.pool, datetime.now(UTC))
    assert sweeping.sql("select bucket from limit_buckets order by bucket") == [
        {"bucket": "-10 minutes"},
        {"bucket": "50 minutes"},
    ]


def test_a_publisher_deletes_expired_rows_soon_after_its_start(unswept: Settings, sweeping: Sweeping) -> None:
    for statement in ADD_STATE.values():
        sweeping.sql(statement)
    left = "select key from state.ledger union all select notification_id from state.inbox"
    with serving(unswept):
        waiting_for(lambda: sweeping.sql(left) == [{"key": "new"}] * 2, "the expired rows to be deleted")
