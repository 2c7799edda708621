"""Under load: what is expensive leaves room for what is not."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import psycopg

from local.processes import free_port
from publisher_api.hosting.container import MAX_BATCHES_IN_PROGRESS
from publisher_api.settings import Settings
from tests.publisher.running import Publisher, notification, serving
from tests.publisher.topic import waiting_for


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
        waiting_for(lambda: blocked_inserts(publisher) > 0, "a batch to wait for the lock")
        time.sleep(0.5)  # so that more batches could reach Postgres, if they were allowed to
        assert blocked_inserts(publisher) == 1, "a producer has one at a time"
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


def test_reading_that_waits_for_postgres_does_not_stop_accepting(each_publisher: Publisher) -> None:
    publisher = each_publisher
    publisher.http.put("/v1/templates/slow", json={"content": {"inapp": {"title": "t"}}}).raise_for_status()
    publisher.accept()  # the configuration is in memory again
    with ThreadPoolExecutor(60) as readers, psycopg.connect(publisher.database_url) as blocker:
        blocker.execute("lock table template_versions in access exclusive mode")
        reads = [readers.submit(publisher.http.get, "/v1/templates/slow") for _ in range(60)]
        waiting_for(lambda: any(read.done() for read in reads), "a reader to be refused")
        refused = next(read.result() for read in reads if read.done())
        accepted = publisher.http.post("/v1/notifications", json=notification())
        health = publisher.http.get("/health")
        publisher.report(str(uuid.uuid4()), "sent")
        blocker.rollback()
        answers = {read.result().status_code for read in reads}
    assert refused.json()["type"] == "urn:heliograph:problem:overloaded", "it waited for a connection"
    assert (accepted.status_code, health.status_code) == (202, 200)
    assert answers == {200, 503}


def test_readiness_asks_no_other_service(settings: Settings) -> None:
    nowhere = f"postgresql://none@127.0.0.1:{free_port()}/none"
    with serving(replace(settings, database_url=nowhere)) as url:
        response = httpx.get(f"{url}/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
