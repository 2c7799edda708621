"""Checks docs/self-hosting.md: its SQL on the real schema, its links, and the files, commands and events it names."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from local.config import WORKER_ROLE
from shared.log_events import LogEvent
from shared.profile import Profile

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "self-hosting.md").read_text(encoding="utf-8")
STATEMENTS: dict[str, Any] = dict(re.findall(r"```sql\n-- (\w+)\n(.*?)```", GUIDE, re.DOTALL))

Connection = psycopg.Connection[dict[str, Any]]


@pytest.fixture
def connection(postgres_url: str) -> Iterator[Connection]:
    """A connection whose transaction is rolled back after the test, in which no message is left of other tests."""
    with psycopg.connect(postgres_url, row_factory=dict_row) as opened:
        opened.execute("delete from transport.messages")
        yield opened
        opened.rollback()


def test_role_of_the_worker_can_log_in_after_the_statement(connection: Connection) -> None:
    connection.execute(f"alter role {WORKER_ROLE} nologin")
    connection.execute(STATEMENTS["role"])
    row = connection.execute("select rolcanlogin from pg_roles where rolname = %s", [WORKER_ROLE]).fetchone()
    assert row == {"rolcanlogin": True}


def test_grants_give_the_worker_what_the_migration_gives(connection: Connection) -> None:
    grants = """
        select table_schema, table_name, privilege_type from information_schema.role_table_grants
         where grantee = %s order by 1, 2, 3
    """
    migrated = connection.execute(grants, [WORKER_ROLE]).fetchall()
    connection.execute(f"revoke all on all tables in schema transport, state from {WORKER_ROLE}")
    assert connection.execute(grants, [WORKER_ROLE]).fetchall() == []
    connection.execute(STATEMENTS["grants"])
    assert connection.execute(grants, [WORKER_ROLE]).fetchall() == migrated
    assert migrated


def test_depth_counts_the_messages_of_each_subscription(connection: Connection) -> None:
    connection.execute(
        """
        insert into transport.messages (subscription, data, attributes, attempts, visible_at)
        values ('notifications-email', '', '{}', 0, now()), ('notifications-email', '', '{}', 3, now() + interval '1 h')
        """
    )
    [row] = connection.execute(STATEMENTS["depth"]).fetchall()
    assert (row["subscription"], row["messages"], row["due"], row["most_attempts"]) == ("notifications-email", 2, 1, 3)


def test_open_transactions_are_listed(connection: Connection, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as other:
        other.execute("select")
        pids = {row["pid"] for row in connection.execute(STATEMENTS["transactions"])}
        assert other.info.backend_pid in pids


def test_every_statement_is_tested() -> None:
    assert STATEMENTS.keys() == {"role", "grants", "depth", "transactions"}


def test_every_profile_but_google_has_a_row() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]*(?:Redis|RabbitMQ|nothing)", GUIDE, re.MULTILINE)
    assert rows == [profile.value for profile in Profile if profile is not Profile.GOOGLE]


def headings(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_link_has_a_target() -> None:
    links = re.findall(r"\]\(([^)#]*)#?([^)]*)\)", GUIDE)
    assert links
    for target, heading in links:
        path = (ROOT / "docs" / target) if target else ROOT / "docs" / "self-hosting.md"
        assert path.is_file(), target
        assert not heading or heading in headings(path), heading


def test_every_module_in_a_command_exists() -> None:
    modules = set(re.findall(r"python -m ((?:publisher_api|functions|deploy)(?:\.[a-z_]+)+)", GUIDE))
    assert {"publisher_api.cli.migrate", "functions.worker", "deploy.smoke"} <= modules
    assert [name for name in modules if not (ROOT / f"{name.replace('.', '/')}.py").exists()] == []


def test_every_file_that_is_named_exists() -> None:
    named = set(re.findall(r"\b((?:deploy|requirements)/[\w./*$-]+\w)", GUIDE))
    made_by_the_reader = {"deploy/worker.env", "deploy/.env"}
    files = {name.replace("$process", "worker") for name in named} - made_by_the_reader
    assert {"deploy/compose.yaml", "requirements/self_hosted.txt"} <= files
    assert [name for name in files if not list(ROOT.glob(name))] == []


def test_every_event_of_the_table_exists() -> None:
    named = set(re.findall(r"`([a-z]+\.[a-z_]+)`", GUIDE.partition("\n| event |")[2].partition("\n\n")[0]))
    named |= set(re.findall(r'event == "([^"]+)"', GUIDE))
    assert {"worker.take_failed", "delivery.dead"} <= named
    assert named - {event.value for event in LogEvent} == set()
