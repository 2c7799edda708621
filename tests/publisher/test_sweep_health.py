"""The health check of the sweep, and the sweep as a command."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from publisher_api.cli.sweep import sweeping
from publisher_api.outbox import store as outbox
from publisher_api.settings import Settings
from shared.profile import VARIABLE
from tests.publisher.running import LATER, Publisher
from tests.publisher.sweeping import accept_pending
from tests.publisher.topic import InspectedTable


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


def test_the_sweep_command_publishes_what_is_due_and_logs_how_much(unswept: Settings) -> None:
    notification_id = accept_pending(unswept)
    command = [sys.executable, "-m", "publisher_api.cli.sweep"]
    environment = os.environ | {VARIABLE: unswept.profile, "DATABASE_URL": unswept.database_url}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1])["published"] == 1
    assert len(InspectedTable(unswept.database_url).deliveries(notification_id)) == 1


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
