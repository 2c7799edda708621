"""Under load: what is expensive leaves room for what is not."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from publisher_api.hosting.container import BATCHES_AT_ONCE, MAX_BATCHES_IN_PROGRESS
from tests.publisher.running import Publisher, notification
from tests.publisher.topic import waiting_for

pytestmark = pytest.mark.emulators


def blocked_inserts(publisher: Publisher) -> int:
    [row] = publisher.sql(
        """
        select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%%insert into deliveries%%'
        """
    )
    count: int = row["count"]
    return count


def send_batch(publisher: Publisher) -> httpx.Response:
    return publisher.http.post("/v1/notifications/batch", json={"notifications": [notification()] * 2})


def test_batches_that_wait_for_postgres_leave_connections_to_others(publisher: Publisher) -> None:
    with ThreadPoolExecutor(12) as producers, psycopg.connect(publisher.database_url) as blocker:
        blocker.execute("lock table deliveries in share mode")
        batches = [producers.submit(send_batch, publisher) for _ in range(12)]
        waiting_for(lambda: blocked_inserts(publisher) >= BATCHES_AT_ONCE, "batches to wait for the lock")
        time.sleep(0.5)  # so that more batches could reach Postgres, if they were allowed to
        assert blocked_inserts(publisher) == BATCHES_AT_ONCE
        count = publisher.http.get("/v1/notifications/unread_count", params={"user_id": "u"})
        blocker.rollback()
        answers = [batch.result().status_code for batch in batches]
    assert count.status_code == 200
    assert answers == [202] * 12


def test_more_batches_than_can_wait_are_refused_at_once(publisher: Publisher) -> None:
    many = MAX_BATCHES_IN_PROGRESS + 4
    with ThreadPoolExecutor(many) as producers, psycopg.connect(publisher.database_url) as blocker:
        blocker.execute("lock table deliveries in share mode")
        batches = [producers.submit(send_batch, publisher) for _ in range(many)]
        waiting_for(lambda: sum(batch.done() for batch in batches) >= 4, "four batches to be refused")
        refused = [batch.result() for batch in batches if batch.done()]
        blocker.rollback()
        accepted = [batch.result().status_code for batch in batches if batch.result() not in refused]
    assert [response.json()["type"] for response in refused] == ["urn:heliograph:problem:overloaded"] * 4
    assert accepted == [202] * MAX_BATCHES_IN_PROGRESS
