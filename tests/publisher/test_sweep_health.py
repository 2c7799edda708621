"""The health check of the sweep, and the sweep as a command and as a DigitalOcean Function."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from publisher_api import main
from publisher_api.cli.sweep import sweeping
from publisher_api.outbox import store as outbox
from publisher_api.settings import Settings
from tests.publisher.running import LATER, Publisher
from tests.publisher.sweeping import accept_pending


def environment_of(settings: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": settings.database_url,
        "GOOGLE_CLOUD_PROJECT": settings.project,
        "NOTIFICATIONS_TOPIC": settings.topic,
        "PUSH_AUDIENCE": "a",
        "PUSH_SERVICE_ACCOUNT": "s",
    }


pytestmark = pytest.mark.emulators


def test_the_sweep_is_ok_while_nothing_is_overdue(publisher: Publisher) -> None:
    response = httpx.get(f"{publisher.url}/health/sweep", timeout=20)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(("minutes_due", "overdue"), [(4, False), (6, True)])
def test_a_delivery_that_is_due_for_five_minutes_is_overdue(
    publisher: Publisher,
    minutes_due: int,
    overdue: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    notification_id = publisher.accept(deliver_at=LATER)
    with psycopg.connect(publisher.database_url, row_factory=dict_row) as connection:
        # Not committed, so that the publisher's own sweep does not see it.
        connection.execute(
            """update deliveries set due_at = now() - make_interval(mins => %s), sweep_at = now()
                where notification_id = %s""",
            (minutes_due, notification_id),
        )
        assert outbox.sweep_is_overdue(connection, datetime.now(UTC)) is overdue
        connection.rollback()


def test_the_digitalocean_function_sweeps(
    unswept: Settings, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment_of(unswept).items():
        monkeypatch.setenv(name, value)
    notification_id = accept_pending(unswept)
    assert main.sweep({}, None) == {"published": 1}
    assert len(publisher.topic.deliveries(notification_id)) == 1


def test_the_sweep_command_publishes_what_is_due_and_logs_how_much(unswept: Settings, publisher: Publisher) -> None:
    notification_id = accept_pending(unswept)
    command = [sys.executable, "-m", "publisher_api.cli.sweep"]
    environment = os.environ | environment_of(unswept)
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1])["published"] == 1
    assert len(publisher.topic.deliveries(notification_id)) == 1


def test_a_sweep_deletes_expired_keys(unswept: Settings) -> None:
    with psycopg.connect(unswept.database_url) as connection:
        connection.execute(
            """insert into dedup_keys (producer, dedup_key, notification_id, expires_at)
               select 'tests', key, gen_random_uuid(), now() + age::interval
                 from (values ('expired', '-1 second'), ('valid', '1 day')) as keys(key, age)"""
        )
        connection.commit()
        with sweeping(unswept) as sweep_once:
            sweep_once()
        assert connection.execute("select dedup_key from dedup_keys").fetchall() == [("valid",)]


def test_a_message_that_pubsub_refuses_ends_with_a_reason_and_blocks_no_other(
    unswept: Settings, publisher: Publisher
) -> None:
    bad, good = accept_pending(unswept), accept_pending(unswept)
    with psycopg.connect(unswept.database_url) as connection:
        # Larger than Pub/Sub accepts, which no accepted notification can be.
        connection.execute(
            """update deliveries set content = jsonb_build_object('title', repeat('x', 11000000))
                where notification_id = %s""",
            [bad],
        )
    with sweeping(unswept) as sweep_once:
        assert sweep_once() == 1
    assert publisher.topic.deliveries(good)
    with psycopg.connect(unswept.database_url) as connection:
        rows = connection.execute("select notification_id::text, status, reason from deliveries").fetchall()
        events = connection.execute("select result, reason from delivery_events").fetchall()
    assert sorted(rows) == sorted([(bad, "failed", "transport_refused"), (good, "queued", None)])
    assert events == [("failed", "transport_refused")]


def test_a_command_that_pubsub_refuses_is_removed(unswept: Settings) -> None:
    with psycopg.connect(unswept.database_url) as connection:
        connection.execute(
            """insert into commands (command_id, body, sweep_at)
               select gen_random_uuid(), jsonb_build_object('type', 'command', 'v', 1, 'command', 'read', 'at', now(),
                                                            'user_id', repeat('x', 11000000)), now()"""
        )
        connection.commit()
        with sweeping(unswept) as sweep_once:
            assert sweep_once() == 0
        assert connection.execute("select from commands").fetchall() == []
