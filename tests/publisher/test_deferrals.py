"""A deferred delivery goes back into the outbox, and is published again at its time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from publisher_api.deliveries.service import record_outcomes
from publisher_api.outbox import store as outbox
from publisher_api.settings import Settings
from shared.envelope import Delivery
from shared.outcomes import Outcome, Result
from tests.factories import make_delivery
from tests.publisher.sweeping import Sweeping, accept_pending

MINUTE = timedelta(minutes=1)


@dataclass
class Deferring:
    """A notification with one delivery, which its function can defer."""

    sweeping: Sweeping
    notification_id: str
    delivery_id: str
    due_at: datetime
    expires_at: datetime

    def report(self, result: Result, deferrals: int = 0, until: datetime | None = None, round_: int = 0) -> None:
        outcome = Outcome(
            notification_id=self.notification_id,
            delivery_id=self.delivery_id,
            round=round_,
            result=result,
            at=datetime.now(self.due_at.tzinfo),
            attempt=deferrals + 1,
            deferrals=deferrals,
            until=until,
            reason="receiver_busy" if result == "deferred" else None,
        )
        record_outcomes(self.sweeping.pool, [outcome])

    def message(self, deferrals: int) -> Delivery:
        return make_delivery("webhook", delivery_id=self.delivery_id, round=0, deferrals=deferrals)

    def mark_queued(self, deferrals: int, now: datetime) -> None:
        with self.sweeping.pool.connection() as connection:
            outbox.mark_queued(connection, [self.message(deferrals)], now)

    def row(self) -> tuple[str, str | None, int]:
        [row] = self.sweeping.sql("select status, reason, deferrals from deliveries")
        return row["status"], row["reason"], row["deferrals"]


@pytest.fixture
def deferring(unswept: Settings, sweeping: Sweeping) -> Deferring:
    """Its delivery is not published yet."""
    notification_id = accept_pending(unswept, channels=["webhook"], to={"webhook": "https://receiver.example/hook"})
    [row] = sweeping.sql("select delivery_id::text, due_at, expires_at from deliveries")
    return Deferring(sweeping, notification_id, row["delivery_id"], row["due_at"], row["expires_at"])


@pytest.fixture
def published(deferring: Deferring) -> Deferring:
    assert deferring.sweeping.at(deferring.due_at + MINUTE) == 1
    return deferring


def test_a_deferred_delivery_is_published_again_at_its_time_and_not_before(published: Deferring) -> None:
    until = published.due_at + 10 * MINUTE
    published.report("deferred", until=until)
    assert published.row() == ("pending", "receiver_busy", 1)
    assert published.sweeping.at(until - timedelta(seconds=1)) == 0
    assert published.sweeping.at(until) == 1
    assert published.row() == ("queued", None, 1)
    assert published.sweeping.at(published.expires_at) == 0, "it waits for its outcome like any other"


def test_the_message_after_a_deferral_says_how_often_the_delivery_was_deferred(published: Deferring) -> None:
    published.report("deferred", until=published.due_at + 2 * MINUTE)
    published.sweeping.at(published.due_at + 2 * MINUTE)
    published.report("deferred", deferrals=1, until=published.due_at + 3 * MINUTE)
    with published.sweeping.pool.connection() as connection:
        [(_, delivery)] = outbox.load_claimed(connection, [published.delivery_id])
    assert delivery.deferrals == 2


def test_a_deferral_that_arrives_twice_counts_once(published: Deferring) -> None:
    until = published.due_at + 10 * MINUTE
    published.report("deferred", until=until)
    published.report("deferred", until=until)
    assert published.row() == ("pending", "receiver_busy", 1)
    published.sweeping.at(until)
    published.report("deferred", until=until + MINUTE)
    assert published.row() == ("queued", None, 1), "late: the delivery was published again since"


def test_a_deferral_that_arrives_before_the_delivery_is_marked_as_queued_is_kept(deferring: Deferring) -> None:
    until = deferring.due_at + 10 * MINUTE
    deferring.report("deferred", until=until)
    deferring.mark_queued(0, deferring.due_at + MINUTE)
    assert deferring.row() == ("pending", "receiver_busy", 1)
    assert deferring.sweeping.at(until) == 1


@pytest.mark.parametrize("result", ["sent", "failed", "dead", "expired"])
def test_a_deferral_that_arrives_after_the_end_changes_nothing(published: Deferring, result: Result) -> None:
    published.report(result)
    published.report("deferred", until=published.due_at + MINUTE)
    assert published.row() == (result, None, 0)
    assert published.sweeping.at(published.due_at + 10 * MINUTE) == 0


def test_an_outcome_of_an_earlier_copy_ends_a_deferred_delivery(published: Deferring) -> None:
    until = published.due_at + 10 * MINUTE
    published.report("deferred", until=until)
    published.report("sent")
    assert published.row() == ("sent", None, 1)
    assert published.sweeping.at(until) == 0


def test_a_deferral_of_another_round_changes_nothing(published: Deferring) -> None:
    published.report("deferred", until=published.due_at + MINUTE, round_=1)
    assert published.row() == ("queued", None, 0)


def test_a_deferral_is_no_alarm_until_it_is_over_for_five_minutes(published: Deferring) -> None:
    until = published.due_at + timedelta(hours=2)
    published.report("deferred", until=until)

    def overdue(at: datetime) -> bool:
        with published.sweeping.pool.connection() as connection:
            return outbox.sweep_is_overdue(connection, at)

    assert not overdue(until - timedelta(seconds=10))
    assert overdue(until + 6 * MINUTE)


def test_the_timeline_says_until_when_a_delivery_waits(published: Deferring) -> None:
    until = published.due_at + 10 * MINUTE
    published.report("deferred", until=until)
    found = published.sweeping.read(published.notification_id)
    [delivery] = found.deliveries
    assert (delivery.status, delivery.deferred_until, found.status) == ("pending", until, "queued")
    [deferred] = [entry for entry in found.timeline if entry.event == "deferred"]
    assert deferred.detail == {"attempt": 1, "until": until, "reason": "receiver_busy"}
