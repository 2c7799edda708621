"""Expired keys are deleted in bounded steps, and no request waits for it."""

from datetime import UTC, datetime

import psycopg
import pytest

from publisher_api.db.expired_keys import STEP, delete_some_expired_keys
from publisher_api.settings import Settings
from tests.publisher.sweeping import Sweeping

pytestmark = pytest.mark.emulators
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
    assert delete_some_expired_keys(sweeping.pool, now) is True
    assert len(keys(sweeping)) == 2000
    assert delete_some_expired_keys(sweeping.pool, now) is False
    assert keys(sweeping) == []


def test_an_expired_key_that_is_used_again_blocks_no_other(unswept: Settings, sweeping: Sweeping) -> None:
    sweeping.sql(ADD_EXPIRED, 3)
    with psycopg.connect(unswept.database_url) as request:
        request.execute("update dedup_keys set expires_at = now() + interval '1 day' where dedup_key = '2'")
        delete_some_expired_keys(sweeping.pool, datetime.now(UTC))
    assert keys(sweeping) == ["2"]
