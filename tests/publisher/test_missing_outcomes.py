"""A delivery whose outcome never arrives is published again at growing intervals, and is closed in the end."""

from datetime import datetime, timedelta

import pytest

from publisher_api.deliveries.service import record_outcomes
from publisher_api.outbox import store as outbox
from publisher_api.settings import Settings
from shared.outcomes import Outcome
from shared.topology import TOPOLOGY
from tests.factories import make_delivery
from tests.publisher.sweeping import Sweeping, accept_pending

STEP = timedelta(minutes=10)


@pytest.fixture
def queued(unswept: Settings, sweeping: Sweeping) -> tuple[str, datetime]:
    """A published notification, and when its delivery expires."""
    notification_id = accept_pending(unswept)
    [row] = sweeping.sql("select due_at, expires_at from deliveries")
    assert sweeping.at(row["due_at"] + timedelta(minutes=1)) == 1
    return notification_id, row["expires_at"]


def published_until(sweeping: Sweeping, start: datetime, end: datetime) -> list[timedelta]:
    """When a sweep every ten minutes publishes, relative to ``start``."""
    moments = [start + STEP * number for number in range(1, (end - start) // STEP + 1)]
    return [moment - start for moment in moments if sweeping.at(moment)]


def test_a_delivery_without_an_outcome_is_published_ever_less_often_and_then_closed(
    sweeping: Sweeping, queued: tuple[str, datetime]
) -> None:
    notification_id, expires_at = queued
    published = published_until(sweeping, expires_at, expires_at + timedelta(days=3))
    assert published == [timedelta(minutes=10), timedelta(hours=1, minutes=10), timedelta(hours=7, minutes=10)]
    found = sweeping.read(notification_id)
    assert [(delivery.status, delivery.reason) for delivery in found.deliveries] == [("expired", "no_report")]
    [ended] = [entry for entry in found.timeline if entry.event == "expired"]
    assert (ended.at, ended.detail) == (expires_at + timedelta(hours=31, minutes=10), {"reason": "no_report"})


def test_a_delivery_that_is_overdue_for_an_hour_raises_the_alarm_until_it_is_old(
    sweeping: Sweeping, queued: tuple[str, datetime]
) -> None:
    _, expires_at = queued
    found, swept_until = {}, timedelta()
    for hours in (0.5, 1.5, 6, 8, 32):
        until = timedelta(hours=hours)
        published_until(sweeping, expires_at + swept_until, expires_at + until)
        swept_until = until
        with sweeping.pool.connection() as connection:
            found[hours] = outbox.sweep_is_overdue(connection, expires_at + until)
    assert found == {0.5: False, 1.5: True, 6: True, 8: False, 32: False}


def test_an_outcome_that_arrives_after_the_delivery_was_closed_still_moves_it(
    sweeping: Sweeping, queued: tuple[str, datetime]
) -> None:
    notification_id, expires_at = queued
    published_until(sweeping, expires_at, expires_at + timedelta(days=2))
    [delivery] = sweeping.read(notification_id).deliveries
    outcome = Outcome(
        notification_id=notification_id,
        delivery_id=str(delivery.delivery_id),
        round=0,
        result="sent",
        at=expires_at - timedelta(hours=1),
    )
    record_outcomes(sweeping.pool, [outcome])
    [delivery] = sweeping.read(notification_id).deliveries
    assert (delivery.status, delivery.reason) == ("sent", None)


def test_a_replayed_delivery_is_published_again_as_often_as_a_new_one(
    sweeping: Sweeping, queued: tuple[str, datetime]
) -> None:
    notification_id, expires_at = queued
    published_until(sweeping, expires_at, expires_at + timedelta(hours=8))
    replayed_at = expires_at + timedelta(hours=9)
    expires_again = replayed_at + timedelta(seconds=TOPOLOGY["inapp"].time_to_live_seconds)
    sweeping.sql("update deliveries set status = 'failed'")
    sweeping.sql(
        "update deliveries set status = 'pending', round = 1, due_at = %s, sweep_at = %s, expires_at = %s",
        replayed_at,
        replayed_at,
        expires_again,
    )
    assert sweeping.at(replayed_at + timedelta(seconds=1)) == 1
    assert len(published_until(sweeping, expires_again, expires_again + timedelta(days=2))) == 3
    assert sweeping.read(notification_id).deliveries[0].reason == "no_report"


def test_a_delivery_that_is_marked_twice_before_it_expires_is_not_overdue(
    sweeping: Sweeping, queued: tuple[str, datetime]
) -> None:
    notification_id, expires_at = queued
    [delivery] = sweeping.read(notification_id).deliveries
    with sweeping.pool.connection() as connection:
        published = make_delivery("inapp", delivery_id=str(delivery.delivery_id), round=0)
        outbox.mark_queued(connection, [published], expires_at - timedelta(minutes=5))
    [row] = sweeping.sql("select unreported, sweep_at from deliveries")
    assert row == {"unreported": 0, "sweep_at": expires_at + timedelta(minutes=10)}
