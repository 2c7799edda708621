"""An erasure deletes everything of a user, says when it is complete, and leaves alone what is stored after it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from functions.google.calls import LONGEST_CALL_SECONDS
from functions.runtime.inbox import LOOKED_UP_AFTER
from publisher_api.db.expired_rows import delete_some_expired_rows
from publisher_api.deliveries.service import record_outcomes
from publisher_api.deliveries.stop_store import stop_some
from publisher_api.erasures import service
from publisher_api.settings import Settings
from shared.envelope import Command
from tests.factories import make_outcome
from tests.publisher.erasing import Erasing, ada, erasing, new_name, send, unswept

WAITING = "select status from deliveries where status in ('pending', 'canceled') order by delivery_id"


__all__ = ["ada", "erasing", "unswept"]  # fixtures


def test_nothing_is_left_of_an_erased_user(erasing: Erasing, ada: str) -> None:
    assert set(erasing.found(ada)) >= {
        "users", "devices", "preferences", "tenant_preferences", "notifications", "deliveries", "inbox", "inbox_heads",
    }  # fmt: skip
    assert erasing.request(ada).status == "running"
    erasing.finish()
    assert erasing.request(ada).status == "complete"
    assert erasing.found(ada) == []


def test_the_erasure_counts_what_it_deleted(erasing: Erasing, ada: str) -> None:
    erasing.request(ada)
    erasing.finish()
    found = erasing.request(ada)
    assert (found.devices, found.notifications, found.deliveries) == (1, 2, 3)
    assert found.completed_at is not None


def test_addresses_and_the_inbox_are_gone_before_anything_else(erasing: Erasing, ada: str) -> None:
    erasing.request(ada)
    assert not {"users", "devices", "preferences", "tenant_preferences"} & set(erasing.found(ada))
    erasing.work()
    assert not {"inbox", "inbox_heads"} & set(erasing.found(ada))


def test_a_repeated_request_answers_the_same_erasure(erasing: Erasing, ada: str) -> None:
    first = erasing.request(ada)
    assert erasing.request(ada) == first
    erasing.finish()
    complete = erasing.request(ada)
    assert complete.erasure_id == first.erasure_id
    assert erasing.request(ada) == complete == erasing.erasures.get(first.erasure_id)
    assert erasing.found(ada) == []


def test_requests_at_once_begin_one_erasure(erasing: Erasing, ada: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(erasing.request, [ada] * 4))
    assert len({each.erasure_id for each in found}) == 1


def test_a_user_of_whom_nothing_is_stored_can_be_erased(erasing: Erasing) -> None:
    name = new_name()
    erasing.request(name)
    erasing.finish()
    assert (erasing.request(name).status, erasing.found(name)) == ("complete", [])


def test_a_scheduled_delivery_is_never_sent(unswept: Settings, erasing: Erasing, ada: str) -> None:
    deliver_at = (erasing.clock() + timedelta(days=3)).isoformat()
    send(unswept, ada, channels=["email"], to={"email": f"{ada}@x.org"}, deliver_at=deliver_at)
    erasing.request(ada)
    erasing.finish()
    assert erasing.request(ada).status == "complete"
    erasing.clock.advance(days=3)
    erasing.publish()
    assert erasing.sql("select from transport.messages") == []


def test_an_erasure_waits_for_what_is_on_its_way(unswept: Settings, erasing: Erasing, ada: str) -> None:
    send(unswept, ada, channels=["email"], to={"email": f"{ada}@x.org"})
    erasing.publish()
    erasing.request(ada)
    for _ in range(20):
        erasing.steps()
        erasing.work(except_of="email")
        erasing.clock.advance(seconds=15)
    running = erasing.request(ada)
    assert (running.status, running.waiting_for) == ("running", "rows")
    erasing.finish()
    assert erasing.request(ada).status == "complete"


def test_an_erasure_waits_for_no_delivery_that_is_in_use(unswept: Settings, erasing: Erasing, ada: str) -> None:
    deliver_at = (erasing.clock() + timedelta(days=3)).isoformat()
    for _ in range(2):
        send(unswept, ada, channels=["email"], to={"email": f"{ada}@x.org"}, deliver_at=deliver_at)
    with psycopg.connect(unswept.database_url) as other:
        other.execute("select from deliveries where status = 'pending' order by delivery_id limit 1 for update")
        erasing.request(ada)
        assert [row["status"] for row in erasing.sql(WAITING)] == ["pending", "canceled"]
        erasing.steps()
    erasing.finish()
    assert (erasing.request(ada).status, erasing.found(ada)) == ("complete", [])


def test_what_is_on_its_way_is_published_again_as_expired(unswept: Settings, erasing: Erasing, ada: str) -> None:
    notification_id = send(unswept, ada, channels=["email"], to={"email": f"{ada}@x.org"})
    erasing.publish()
    erasing.request(ada)
    erasing.publish()
    first, second = erasing.sweeping.published.deliveries(notification_id, 2)
    assert first.key == second.key
    assert first.expires_at > erasing.clock() == second.expires_at


def test_an_outcome_that_comes_after_the_erasure_is_dropped(erasing: Erasing, ada: str) -> None:
    [row, *_] = erasing.sql("select delivery_id::text from deliveries")
    erasing.request(ada)
    erasing.finish()
    record_outcomes(erasing.sweeping.pool, [make_outcome(delivery_id=row["delivery_id"], round=0)])
    assert erasing.sql("select from deliveries union all select from delivery_events") == []


def test_a_notification_that_was_committed_during_the_request_is_erased(
    unswept: Settings, erasing: Erasing, ada: str
) -> None:
    erasing.request(ada)
    erasing.steps()
    send(unswept, ada, channels=["inapp"])  # accepted a minute ago
    erasing.finish()
    assert (erasing.request(ada).status, erasing.found(ada)) == ("complete", [])


@pytest.mark.parametrize("made", [timedelta(days=-1), timedelta(seconds=30)])
def test_marks_that_wait_to_be_repeated_are_erased(erasing: Erasing, ada: str, made: timedelta) -> None:
    erasing.add_repeated(Command(v=1, command="read_all", at=erasing.clock() + made, user_id=ada))
    erasing.request(ada)
    erasing.finish()
    assert erasing.found(ada) == []


def test_an_inbox_that_never_reports_is_asked_again(erasing: Erasing, ada: str) -> None:
    erasing.request(ada)
    for _ in range(12):
        erasing.steps()
        erasing.publish()
        for each in erasing.sql("select message_id from transport.messages"):
            erasing.sql("delete from transport.messages where message_id = %s", each["message_id"])
        erasing.clock.advance(hours=12)
    assert erasing.request(ada).waiting_for == "inbox"
    erasing.finish()
    erasing.clock.advance(hours=1)
    erasing.finish()
    assert (erasing.request(ada).status, erasing.found(ada)) == ("complete", [])


def test_the_erasure_of_one_user_touches_no_other(unswept: Settings, erasing: Erasing, ada: str) -> None:
    grace = new_name()
    erasing.sql("insert into users (user_id) values (%s)", grace)
    send(unswept, grace, channels=["inapp"])
    erasing.work()
    before = erasing.found(grace)
    erasing.request(ada)
    erasing.finish()
    assert erasing.found(grace) == before


def test_more_notifications_are_erased_than_one_step_deletes(erasing: Erasing, ada: str) -> None:
    erasing.sql(
        """
        with added as (
            insert into notifications (notification_id, producer, user_id, event_type, channels, payload, priority,
                                       created_at, accepted_at)
            select gen_random_uuid(), 'tests', %s, 'payment', '{}', '{}', 1, now() - interval '1 day', now()
              from generate_series(1, 450)
            returning notification_id
        )
        insert into deliveries (delivery_id, notification_id, kind, slug, status, due_at, expires_at, sweep_at,
                                updated_at)
        select gen_random_uuid(), notification_id, 'sms', 'sms', 'pending', due_at, due_at + interval '1 day', due_at,
               now()
          from added, (values (now() + interval '1 day')) as due (due_at)
        """,
        ada,
    )
    erasing.request(ada)
    assert erasing.sql("select from deliveries where status = 'pending'") == []
    erasing.finish()
    found = erasing.request(ada)
    assert (found.notifications, found.deliveries, erasing.found(ada)) == (452, 453, [])


def test_one_step_stops_a_bounded_number(unswept: Settings, erasing: Erasing, ada: str) -> None:
    deliver_at = (erasing.clock() + timedelta(days=3)).isoformat()
    for _ in range(3):
        send(unswept, ada, channels=["email"], to={"email": f"{ada}@x.org"}, deliver_at=deliver_at)
    now = erasing.clock()
    with erasing.sweeping.pool.connection() as connection:
        assert [stop_some(connection, ada, now, now, limit=2) for _ in range(3)] == [2, 1, 0]


def test_a_complete_erasure_is_forgotten_after_30_days(erasing: Erasing, ada: str) -> None:
    erasing.request(ada)
    erasing.finish()
    for days in (29, 2):
        erasing.clock.advance(days=days)
        delete_some_expired_rows(erasing.sweeping.pool, erasing.clock())
        assert len(erasing.sql("select from erasures")) == (1 if days == 29 else 0)
    assert erasing.sql("select from state.erased") == []


def test_the_second_erasing_comes_after_the_last_put_that_looks_at_no_tombstone() -> None:
    """The second erasing deletes what a function put into the inbox without a look at the tombstones."""
    assert LOOKED_UP_AFTER + timedelta(seconds=LONGEST_CALL_SECONDS) < service.SETTLED
