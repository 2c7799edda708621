"""Checks docs/operations.md: its SQL on the real schema, its links, and the scripts, modules and targets it names."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from publisher_api.outbox import store as outbox
from shared.reasons import Reason

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ALERTS = (ROOT / "terraform" / "modules" / "observability" / "alerts.tf").read_text(encoding="utf-8")
STATEMENTS: dict[str, Any] = dict(re.findall(r"```sql\n-- (\w+)\n(.*?)```", GUIDE, re.DOTALL))
HEADINGS = [
    re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
    for heading in re.findall(r"^#+ (.*)$", GUIDE, re.MULTILINE)
]

Connection = psycopg.Connection[dict[str, Any]]


@pytest.fixture
def connection(postgres_url: str) -> Any:
    """A connection whose transaction is rolled back after the test."""
    with psycopg.connect(postgres_url, row_factory=dict_row) as opened:
        yield opened
        opened.rollback()


def add_dead_delivery(connection: Connection, channel_type: str = "email", **given: Any) -> UUID:
    """Insert a dead delivery and its notification. Returns the delivery's id."""
    now = datetime.now(UTC)
    notification_id, delivery_id = uuid4(), uuid4()
    connection.execute(
        """
        insert into notifications (notification_id, producer, user_id, event_type, channels, payload, priority,
                                   created_at)
        values (%s, 'shop', 'ada', 'payment', %s, '{}', 100, %s)
        """,
        [notification_id, [channel_type], now],
    )
    row = {
        "delivery_id": delivery_id, "notification_id": notification_id, "kind": channel_type, "slug": channel_type,
        "status": "dead", "reason": "attempts_used_up", "recipient": "ada@example.com",
        "content": '{"subject": "s", "text": "t"}', "due_at": now, "expires_at": now - timedelta(hours=1),
        "sweep_at": now, "queued_at": now, "updated_at": now, **given,
    }  # fmt: skip
    names = ", ".join(row)
    connection.execute(
        f"insert into deliveries ({names}) values ({', '.join(['%s'] * len(row))})",  # noqa: S608 - the names are literals of this module
        list(row.values()),
    )
    return delivery_id


def replay(connection: Connection, slug: str = "email") -> None:
    connection.execute(STATEMENTS["replay"].replace("slug = 'email'", f"slug = '{slug}'"))


def delivery(connection: Connection, delivery_id: UUID) -> dict[str, Any]:
    row = connection.execute("select * from deliveries where delivery_id = %s", [delivery_id]).fetchone()
    assert row is not None
    return row


def test_replayed_delivery_is_swept_with_its_content_in_a_new_round(connection: Connection) -> None:
    dead = add_dead_delivery(connection)
    replay(connection)
    row = delivery(connection, dead)
    assert (row["status"], row["round"], row["reason"], row["queued_at"]) == ("pending", 1, None, None)
    claimed = outbox.claim_due(connection, datetime.now(UTC) + timedelta(seconds=1), 500)
    swept = {d.delivery_id: d for _, d in outbox.load_claimed(connection, [each.delivery_id for each in claimed])}
    assert swept[str(dead)].content == {"subject": "s", "text": "t"}
    assert swept[str(dead)].round == 1
    assert swept[str(dead)].expires_at > datetime.now(UTC)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"possible_duplicate": True}, id="possible duplicate"),
        pytest.param({"slug": "email-marketing"}, id="another channel"),
        pytest.param({"reason": "undecodable"}, id="another reason"),
        pytest.param({"updated_at": datetime(2026, 1, 1, tzinfo=UTC)}, id="updated long ago"),
        pytest.param({"status": "sent"}, id="sent"),
        pytest.param({"recipient": None}, id="no recipient"),
    ],
)
def test_replay_does_not_change_other_deliveries(connection: Connection, other: dict[str, Any]) -> None:
    unaffected = add_dead_delivery(connection, **other)
    before = delivery(connection, unaffected)
    replay(connection)
    assert delivery(connection, unaffected) == before


def test_replayed_inapp_delivery_counts_as_unread(connection: Connection) -> None:
    dead = add_dead_delivery(connection, "inapp")
    replay(connection, "inapp")
    unread = connection.execute(
        "select inbox_at from notifications join deliveries using (notification_id) where delivery_id = %s", [dead]
    ).fetchone()
    assert unread is not None
    assert unread["inbox_at"] is not None


def test_replayed_email_delivery_does_not_count_as_unread(connection: Connection) -> None:
    dead = add_dead_delivery(connection)
    replay(connection)
    unread = connection.execute(
        "select inbox_at from notifications join deliveries using (notification_id) where delivery_id = %s", [dead]
    ).fetchone()
    assert unread == {"inbox_at": None}


def test_channels_that_may_hold_a_credential_are_listed(connection: Connection) -> None:
    configs = {
        "old-header": {"headers": {"X-Auth-Token": "t"}},
        "old-url": {"url": "https://hooks.slack.com/services/t"},
        "named": {"url": "https://hooks.slack.com/{secret}", "url_secret_ref": "WEBHOOK_SLACK"},
    }
    for slug, config in configs.items():
        connection.execute(
            "insert into channels (slug, kind, config) values (%s, 'webhook', %s)", [slug, Jsonb(config)]
        )
    rows = connection.execute(STATEMENTS["credentials"]).fetchall()
    # Other tests leave channels in the database.
    assert {row["slug"] for row in rows} & configs.keys() == {"old-header", "old-url"}


def test_dead_deliveries_are_counted_by_reason(connection: Connection) -> None:
    reason = f"reason_{uuid4().hex}"
    add_dead_delivery(connection, reason=reason)
    add_dead_delivery(connection, reason=reason)
    rows = connection.execute(STATEMENTS["look"]).fetchall()
    assert [row["count"] for row in rows if row["reason"] == reason] == [2]


def test_failed_attempts_are_counted_by_reason(connection: Connection) -> None:
    reason = f"reason_{uuid4().hex}"
    connection.execute(
        "insert into delivery_events (delivery_id, round, result, at, reason) values (%s, 0, 'attempt', now(), %s)",
        [add_dead_delivery(connection), reason],
    )
    rows = connection.execute(STATEMENTS["reasons"]).fetchall()
    assert [(row["slug"], row["count"]) for row in rows if row["reason"] == reason] == [("email", 1)]


def test_every_alert_has_a_heading_and_every_heading_an_alert() -> None:
    titles = re.findall(r'\btitle\s*=\s*"([^"]+)"', ALERTS)
    assert len(titles) >= 8
    assert titles == re.findall(r"^### (.+)$", GUIDE.partition("\n## Alerts\n")[2], re.MULTILINE)


def test_every_reason_in_the_alerts_section_exists() -> None:
    variables = (ROOT / "terraform" / "variables.tf").read_text(encoding="utf-8")
    known = {reason.value for reason in Reason} | set(re.findall(r'^variable "(\w+)"', variables, re.MULTILINE))
    named = set(re.findall(r"`([a-z]+_[a-z_]+)`", GUIDE.partition("\n## Alerts\n")[2]))
    assert "attempts_used_up" in named
    assert named - known == set()


def test_every_link_within_the_handbook_has_a_target() -> None:
    targets = set(re.findall(r"\]\(#([^)]+)\)", GUIDE))
    assert "replay" in targets
    assert sorted(targets - set(HEADINGS)) == []


def test_every_script_and_module_in_a_command_exists() -> None:
    scripts = set(re.findall(r"\bdeploy/[a-z_]+\.sh\b", GUIDE))
    dotted = re.findall(r"python -m ((?:publisher_api|deploy)(?:\.[a-z_]+)+)", GUIDE)
    modules = {name.replace(".", "/") for name in dotted}
    assert scripts
    assert modules
    assert [name for name in scripts if not (ROOT / name).exists()] == []
    assert [name for name in modules if not (ROOT / f"{name}.py").exists()] == []


def test_every_make_target_in_a_command_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^ *|`)make ([a-z-]+)", GUIDE, re.MULTILINE))
    assert "doctor" in named
    assert named - targets == set()
