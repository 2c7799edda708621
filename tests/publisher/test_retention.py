"""Notifications are deleted after their days, in steps that wait for nothing and hold up no sweep."""

import time
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from msgspec import convert

from functions.inapp.commands import apply
from functions.postgres.inbox import PostgresInbox
from publisher_api.connections import new_id
from publisher_api.hosting.chores import chores_of
from publisher_api.notifications.removal_store import STEP, remove_some_of_event_type
from publisher_api.outbox import store as outbox
from publisher_api.outbox.sweeper import Sweeper
from publisher_api.retention.service import purge_some
from publisher_api.settings import Settings
from shared.envelope import Command
from tests.contract.inboxes import entry
from tests.fakes import MemorySwitchStore
from tests.publisher.running import Publisher, problem_of
from tests.publisher.sweeping import Sweeping, accept_pending
from tests.publisher.topic import waiting_for

NOW = datetime.now(UTC)
ADD = """
    with added as (
        insert into notifications (notification_id, producer, user_id, event_type, channels, payload, priority,
                                   created_at, accepted_at, deliver_at)
        select gen_random_uuid(), 'tests', 'ada', %(event_type)s, '{inapp}', '{}', 1, %(at)s, %(at)s, %(deliver_at)s
          from generate_series(1, %(count)s)
        returning notification_id
    ), planned as (
        insert into deliveries (delivery_id, notification_id, kind, slug, status, due_at, expires_at, sweep_at,
                                updated_at)
        select gen_random_uuid(), notification_id, 'inapp', 'inapp', %(status)s, now(), now(), now() + interval '1 day',
               now()
          from added
        returning delivery_id
    )
    insert into delivery_events (delivery_id, round, result, at) select delivery_id, 0, 'sent', now() from planned
"""


def add(
    sweeping: Sweeping,
    days: float,
    event_type: str = "offer",
    *,
    count: int = 1,
    status: str = "sent",
    deliver_at: datetime | None = None,
) -> None:
    """Add notifications that were accepted so many days ago."""
    at = NOW - timedelta(days=days)
    with sweeping.pool.connection() as connection:
        connection.execute(
            ADD, {"event_type": event_type, "at": at, "count": count, "status": status, "deliver_at": deliver_at}
        )


def declare(sweeping: Sweeping, event_type: str, declaration: str) -> None:
    sweeping.sql("insert into event_types values (%s, 1, %s)", event_type, declaration)


def keep(sweeping: Sweeping, document: str) -> None:
    sweeping.sql("update retention set document = %s", document)


def purge(sweeping: Sweeping) -> None:
    while purge_some(sweeping.pool, NOW, new_id):
        pass


def left(sweeping: Sweeping) -> list[str]:
    return [row["event_type"] for row in sweeping.sql("select event_type from notifications order by 1")]


def test_without_a_setting_everything_is_kept(sweeping: Sweeping) -> None:
    add(sweeping, 5000)
    purge(sweeping)
    assert left(sweeping) == ["offer"]


def test_what_is_older_than_its_days_is_deleted_with_deliveries_and_events(sweeping: Sweeping) -> None:
    declare(sweeping, "offer", '{"retention_days": 30}')
    declare(sweeping, "news", '{"category": "marketing"}')
    keep(sweeping, '{"days": 365, "categories": {"marketing": 90}}')
    for days, event_type in ((31, "offer"), (91, "news"), (366, "undeclared")):
        add(sweeping, days, event_type)
    purge(sweeping)
    assert left(sweeping) == []
    assert sweeping.sql("select from deliveries union all select from delivery_events") == []


def test_what_is_younger_is_kept(sweeping: Sweeping) -> None:
    declare(sweeping, "offer", '{"retention_days": 30}')
    keep(sweeping, '{"days": 365, "categories": {}}')
    add(sweeping, 29)
    add(sweeping, 364, "undeclared")
    purge(sweeping)
    assert left(sweeping) == ["offer", "undeclared"]


@pytest.mark.parametrize("status", ["pending", "queued"])
def test_what_has_a_delivery_that_has_not_ended_is_kept(sweeping: Sweeping, status: str) -> None:
    keep(sweeping, '{"days": 1}')
    add(sweeping, 2, status=status)
    purge(sweeping)
    assert left(sweeping) == ["offer"]


def test_a_scheduled_notification_is_kept_from_its_time_on(sweeping: Sweeping) -> None:
    keep(sweeping, '{"days": 30}')
    add(sweeping, 300, deliver_at=NOW - timedelta(days=29))
    add(sweeping, 300, "early", deliver_at=NOW - timedelta(days=31))
    purge(sweeping)
    assert left(sweeping) == ["offer"]


def test_the_key_of_a_deleted_notification_still_leads_to_it(unswept: Settings, sweeping: Sweeping) -> None:
    notification_id = accept_pending(unswept, dedup_key="invoice-7")
    sweeping.sql("update deliveries set status = 'sent'")
    sweeping.sql("update notifications set accepted_at = %s, created_at = %s", *[NOW - timedelta(days=2)] * 2)
    keep(sweeping, '{"days": 1}')
    purge(sweeping)
    assert left(sweeping) == []
    assert accept_pending(unswept, dedup_key="invoice-7") == notification_id
    assert left(sweeping) == []


def test_what_is_deleted_is_gone_from_the_live_inbox(sweeping: Sweeping) -> None:
    keep(sweeping, '{"days": 1}')
    add(sweeping, 2)
    add(sweeping, 200, "old")
    sweeping.sql(
        "update deliveries d set updated_at = now() - interval '91 days'"
        "  from notifications n where n.notification_id = d.notification_id and n.event_type = 'old'"
    )
    inbox = PostgresInbox(sweeping.pool)
    for row in sweeping.sql("select notification_id::text from notifications where event_type = 'offer'"):
        inbox.put("ada", entry(row["notification_id"]))
    inbox.put("ada", entry("young"))
    purge(sweeping)
    [row] = sweeping.sql("select body from commands")
    apply(convert(row["body"], Command), inbox, MemorySwitchStore(), NOW)
    assert sweeping.sql("select notification_id from state.inbox") == [{"notification_id": "young"}]


def test_one_step_deletes_a_bounded_number(sweeping: Sweeping) -> None:
    keep(sweeping, '{"days": 1}')
    add(sweeping, 2, count=STEP + 1)
    assert purge_some(sweeping.pool, NOW, new_id) is True
    assert len(left(sweeping)) == 1


def test_a_purge_waits_for_no_row_that_is_in_use(unswept: Settings, sweeping: Sweeping) -> None:
    keep(sweeping, '{"days": 1}')
    for event_type in ("read", "reported", "unused"):
        add(sweeping, 2, event_type)
    with psycopg.connect(unswept.database_url) as other:
        other.execute("update notifications set read_at = now() where event_type = 'read'")
        other.execute(
            "select from deliveries join notifications using (notification_id) where event_type = 'reported'"
            " for no key update of deliveries"
        )
        started = time.monotonic()
        purge(sweeping)
        assert time.monotonic() - started < 2
    assert left(sweeping) == ["read", "reported"]
    purge(sweeping)
    assert left(sweeping) == []


def test_a_purge_under_way_does_not_hold_up_a_claim(unswept: Settings, sweeping: Sweeping) -> None:
    add(sweeping, 2, count=STEP)
    accept_pending(unswept)
    with psycopg.connect(unswept.database_url, row_factory=psycopg.rows.dict_row) as purging:
        removed = remove_some_of_event_type(purging, "offer", NOW, NOW)  # its transaction stays open
        assert len(removed) == STEP
        with sweeping.pool.connection() as connection:
            connection.execute("set local lock_timeout = '100ms'")
            assert len(outbox.claim_due(connection, datetime.now(UTC), 500)) == 1


def test_a_publisher_sends_while_it_purges_a_backlog(unswept: Settings, sweeping: Sweeping) -> None:
    keep(sweeping, '{"days": 1}')
    add(sweeping, 2, count=5 * STEP)
    sweeper = Sweeper(
        sweeping.pool,
        sweeping.topic,
        sweeping.cache,
        sweeping.shares,
        lambda: datetime.now(UTC),
        chores_of(sweeping.pool, new_id),
        0.05,
        read_epoch=lambda: None,
    )
    sweeper.start()
    try:
        waiting_for(lambda: len(left(sweeping)) <= 4 * STEP, "the purge to begin")
        notification_id = accept_pending(unswept)
        sweeping.sql("update deliveries set sweep_at = now() where status = 'pending'")  # as if it were due now
        started = time.monotonic()
        sweeping.published.deliveries(notification_id)
        assert time.monotonic() - started < 2
        waiting_for(lambda: left(sweeping) == ["payment"], "the purge to end")
    finally:
        sweeper.stop()


def test_the_days_are_set_over_http(publisher: Publisher) -> None:
    fields = {"days": None, "categories": {"marketing": 90}}
    try:
        written = {"days": None, "categories": {"marketing": 90.0}}
        assert publisher.http.put("/v1/retention", json=written).json() == fields
        assert publisher.http.get("/v1/retention").json() == fields
    finally:
        publisher.http.put("/v1/retention", json={}).raise_for_status()
    assert publisher.http.get("/v1/retention").json() == {"days": None, "categories": {}}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"days": 0}, "days"),
        ({"days": 36_501}, "days"),
        ({"days": True}, "days"),
        ({"categories": {"a b": 1}}, "categories.a b"),
        ({"categories": {"marketing": None}}, "categories.marketing"),
        ({"category": {}}, "category"),
    ],
)
def test_days_that_make_no_sense_are_refused(publisher: Publisher, body: dict[str, object], field: str) -> None:
    status, code, fields = problem_of(publisher.http.put("/v1/retention", json=body))
    assert (status, code) == (422, "invalid_request")
    assert [each for each in fields if each.startswith(field)]
