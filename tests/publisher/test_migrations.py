"""Migrations over rows of the release before, and a release that meets a newer schema."""

import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from functions.runtime.switches import CachedSwitches, SwitchTable
from local import postgres
from postgres.pool import fetch_one, make_pool
from publisher_api.channels.store import lock_channels
from publisher_api.cli.sweep import sweeping
from publisher_api.db.schema import ALEMBIC, known_revisions, revision_of
from publisher_api.notifications.service import get_notification
from publisher_api.principal import EVERYTHING
from publisher_api.settings import Settings
from tests.publisher.topic import InspectedTable, waiting_for

GUIDE = Path(__file__).parents[2] / "ADDING_A_CHANNEL.md"
THEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROW_OF_0002 = """
    with accepted as (
        insert into notifications (notification_id, producer, user_id, event_type, channels, payload, priority,
                                   created_at, inbox_at)
        values (%(id)s, 'tests', 'ada', 'payment', '{inapp}', '{}', 100, %(then)s, %(then)s)
    )
    insert into deliveries (delivery_id, notification_id, kind, slug, status, recipient, content, due_at, expires_at,
                            sweep_at, updated_at)
    values (gen_random_uuid(), %(id)s, 'inapp', 'inapp', 'pending', 'ada', '{"title": "Paid"}', %(then)s,
            now() + interval '1 day', %(then)s, %(then)s)
"""
BUILDS_THAT_WAIT = """
    select from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock' and query ilike 'create index%'
"""
INVALID_INDEXES = "select indexrelid::regclass from pg_index where not indisvalid"


@pytest.fixture
def database_url(postgres_server_url: str) -> Iterator[str]:
    with postgres.database(postgres_server_url, f"migrated_{uuid.uuid4().hex[:8]}") as url:
        yield url


def upgrade(database_url: str, revision: str) -> None:
    alembic = [sys.executable, "-m", "alembic", "-c", str(ALEMBIC.config_file_name), "upgrade", revision]
    subprocess.run(alembic, env=os.environ | {"DATABASE_URL": database_url}, check=True, capture_output=True)


def test_a_template_that_is_written_during_the_migration_has_a_version(database_url: str) -> None:
    upgrade(database_url, "0013")
    content = {"inapp": {"title": "Paid"}}
    waits = "select 1 from pg_locks where relation = 'templates'::regclass and not granted"
    with ThreadPoolExecutor(1) as threads, psycopg.connect(database_url) as writing:
        writing.execute("insert into templates (template_name, content) values ('late', %s)", [Jsonb(content)])
        migrated = threads.submit(upgrade, database_url, "0014")
        with psycopg.connect(database_url, autocommit=True) as watching:
            waiting_for(lambda: watching.execute(waits).fetchone(), "the migration waits for the writer")
        writing.commit()
        migrated.result()
        found = writing.execute("select content from template_versions where template_name = 'late'").fetchall()
    assert found == [(content,)]


def test_a_pending_delivery_of_the_release_before_is_published_and_read(settings: Settings, database_url: str) -> None:
    upgrade(database_url, "0002")
    notification_id = uuid.uuid4()
    with psycopg.connect(database_url) as connection:
        connection.execute(ROW_OF_0002, {"id": notification_id, "then": THEN})
    postgres.migrate(database_url)

    with sweeping(replace(settings, database_url=database_url)) as sweep_once:
        assert sweep_once() == 1
    assert InspectedTable(database_url).deliveries(str(notification_id))[0].created_at == THEN
    with make_pool(database_url, 1) as pool:
        found = get_notification(pool, notification_id, EVERYTHING)
    assert (found.created_at, found.accepted_at, found.timeline[0].at) == (THEN, THEN, THEN)


def test_instances_that_start_together_migrate_one_after_the_other(database_url: str) -> None:
    with ThreadPoolExecutor() as threads:
        migrations = [threads.submit(postgres.migrate, database_url) for _ in range(3)]
    assert [each.result() for each in migrations] == [None] * 3
    with psycopg.connect(database_url) as connection:
        assert revision_of(connection) == known_revisions()[0]


def test_rows_are_written_while_the_indexes_of_large_tables_are_built(database_url: str) -> None:
    upgrade(database_url, "0018")
    with psycopg.connect(database_url) as open_one, ThreadPoolExecutor() as threads:
        open_one.execute(ROW_OF_0002, {"id": uuid.uuid4(), "then": THEN})
        migration = threads.submit(postgres.migrate, database_url)
        with psycopg.connect(database_url, autocommit=True) as connection:
            while not connection.execute(BUILDS_THAT_WAIT).fetchall():
                assert not migration.done(), "the build of an index waits for transactions that are open"
                time.sleep(0.05)
            connection.execute("set lock_timeout = '10s'")
            connection.execute(ROW_OF_0002, {"id": uuid.uuid4(), "then": THEN})
        open_one.commit()
        migration.result()
    with psycopg.connect(database_url) as connection:
        assert connection.execute(INVALID_INDEXES).fetchall() == []


def test_the_tables_of_the_outbox_are_vacuumed_when_a_fiftieth_is_dead(database_url: str) -> None:
    postgres.migrate(database_url)
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "select relname, reloptions from pg_class where relname in ('deliveries', 'commands')"
        ).fetchall()
    options = {name: dict(option.split("=") for option in found or ()) for name, found in rows}
    assert {name: found.get("autovacuum_vacuum_scale_factor") for name, found in options.items()} == {
        "deliveries": "0.02",
        "commands": "0.02",
    }


def test_a_release_leaves_the_schema_of_a_newer_one_alone(database_url: str) -> None:
    postgres.migrate(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert revision_of(connection) == known_revisions()[0]
        connection.execute("update alembic_version set version_num = '9999'")
        postgres.migrate(database_url)
        assert revision_of(connection) == "9999"


def test_the_first_channel_of_a_new_type_is_not_taken_for_a_deleted_one(postgres_url: str) -> None:
    """The statement is the one in ADDING_A_CHANNEL.md. The functions' table is from before it."""
    [statement] = re.findall(r"`(insert into channels [^`]*)`", GUIDE.read_text())
    with psycopg.connect(postgres_url, row_factory=dict_row) as connection:
        table = SwitchTable(lock_channels(connection), {"email": True})
        connection.execute(statement.replace("<type>", "fax"))
        version = fetch_one(connection.execute("select version from channels where slug = 'fax'"))["version"]
        connection.rollback()
    assert CachedSwitches(lambda: table, lambda: 0).is_on("fax", version)
