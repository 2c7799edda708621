"""What the uptime check of the sweep asks, and the sweep as a DigitalOcean Function."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
import uuid_utils
from psycopg.rows import dict_row

from local import postgres
from publisher_api import main
from publisher_api.accept.accept import Answer, Submission, accept
from publisher_api.accept.request import NotificationRequest
from publisher_api.settings import Settings
from publisher_api.store import outbox
from publisher_api.store.catalog import Snapshot
from publisher_api.store.pool import make_pool
from publisher_api.store.rows import ConfiguredChannel
from publisher_api.sweep import sweeping
from tests.publisher.running import LATER, Publisher, notification


@pytest.fixture
def unswept(settings: Settings, postgres_server_url: str, publisher: Publisher) -> Iterator[Settings]:  # noqa: ARG001 - its topic
    """A database of this test's own, where nobody sweeps."""
    with postgres.database(postgres_server_url, f"unswept_{uuid.uuid4().hex[:8]}") as url:
        postgres.migrate(url)
        yield replace(settings, database_url=url)


def accept_pending(settings: Settings) -> str:
    """Accept a notification, as a process does that dies before it publishes; the answer is its id."""
    request = NotificationRequest.model_validate(notification())
    catalog = Snapshot({"inapp": ConfiguredChannel(slug="inapp", kind="inapp")}, {}, {})
    past = datetime.now(UTC) - timedelta(minutes=1)
    with make_pool(settings.database_url, 1) as pool:
        submission = Submission("tests", [request])
        [answer], _ = accept(pool, [submission], catalog, now=past, new_id=lambda: str(uuid_utils.uuid7()))
    assert isinstance(answer, Answer)
    notification_id: str = answer.body["notification_id"]
    return notification_id


def environment_of(settings: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": settings.database_url,
        "GOOGLE_CLOUD_PROJECT": settings.project,
        "NOTIFICATIONS_TOPIC": settings.topic,
        "PUSH_AUDIENCE": "a",
        "PUSH_SERVICE_ACCOUNT": "s",
    }


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
    notification_id = publisher.accept(deliver_at=LATER)
    with psycopg.connect(publisher.database_url, row_factory=dict_row) as connection:
        # Not committed, so that the publisher's own sweep does not see it.
        connection.execute(
            """update deliveries set due_at = now() - make_interval(mins => %s), sweep_at = now()
                where notification_id = %s""",
            (minutes_due, notification_id),
        )
        assert outbox.is_neglected(connection, datetime.now(UTC)) is neglected
        connection.rollback()


def test_the_scheduler_of_digitalocean_functions_sweeps(
    unswept: Settings, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment_of(unswept).items():
        monkeypatch.setenv(name, value)
    notification_id = accept_pending(unswept)
    assert main.sweep({}, None) == {"published": 1}
    assert len(publisher.topic.deliveries(notification_id)) == 1


def test_the_sweep_command_publishes_what_is_due_and_says_how_much(unswept: Settings, publisher: Publisher) -> None:
    notification_id = accept_pending(unswept)
    command = [sys.executable, "-m", "publisher_api.sweep"]
    environment = os.environ | environment_of(unswept)
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1])["published"] == 1
    assert len(publisher.topic.deliveries(notification_id)) == 1


def test_one_message_that_pubsub_refuses_holds_up_no_other(unswept: Settings, publisher: Publisher) -> None:
    bad, good = accept_pending(unswept), accept_pending(unswept)
    with psycopg.connect(unswept.database_url) as connection:
        # Larger than Pub/Sub takes, as nothing that is accepted can be.
        connection.execute(
            """update deliveries set content = jsonb_build_object('title', repeat('x', 11000000))
                where notification_id = %s""",
            [bad],
        )
    with sweeping(unswept) as sweep_now:
        assert sweep_now() == 1
    assert publisher.topic.deliveries(good)
    with psycopg.connect(unswept.database_url) as connection:
        rows = connection.execute("select notification_id::text, status from deliveries").fetchall()
    assert dict(rows) == {bad: "pending", good: "queued"}
