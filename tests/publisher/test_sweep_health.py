"""What the uptime check of the sweep asks, and the sweep as a DigitalOcean Function."""

from datetime import UTC, datetime

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from publisher_api import main
from publisher_api.settings import Settings
from publisher_api.store import outbox
from tests.publisher.running import Publisher

pytestmark = pytest.mark.emulators


def test_the_sweep_is_well_while_nothing_is_overdue(publisher: Publisher) -> None:
    response = httpx.get(f"{publisher.url}/health/sweep", timeout=20)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(("minutes_due", "neglected"), [(4, False), (6, True)])
def test_work_that_nobody_took_for_five_minutes_is_neglected(
    publisher: Publisher,
    minutes_due: int,
    neglected: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    notification_id = publisher.accept(deliver_at="2999-01-01T00:00:00Z")
    with psycopg.connect(publisher.database_url, row_factory=dict_row) as connection:
        # Not committed, so that the publisher's own sweep does not see it.
        connection.execute(
            "update deliveries set sweep_at = now() - make_interval(mins => %s) where notification_id = %s",
            (minutes_due, notification_id),
        )
        assert outbox.is_neglected(connection, datetime.now(UTC)) is neglected
        connection.rollback()


def test_the_scheduler_of_digitalocean_functions_sweeps(
    publisher: Publisher, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "DATABASE_URL": settings.database_url,
        "GOOGLE_CLOUD_PROJECT": settings.project,
        "NOTIFICATIONS_TOPIC": settings.topic,
        "PUSH_AUDIENCE": "a",
        "PUSH_SERVICE_ACCOUNT": "s",
    }.items():
        monkeypatch.setenv(name, value)
    notification_id = publisher.accept(deliver_at="2999-01-01T00:00:00Z")
    publisher.sql("update deliveries set due_at = now(), sweep_at = now() where notification_id = %s", notification_id)
    assert main.sweep({}, None)["published"] >= 0
    assert len(publisher.topic.deliveries(notification_id)) == 1
