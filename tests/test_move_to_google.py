"""Checks the move from postgres to google in docs/self-hosting.md: its SQL on the real schema, and its program."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from google.cloud.firestore import Client
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from functions.google.inbox import inbox_of
from functions.google.services import LEDGER_DATABASE
from functions.google.switches import FirestoreSwitchStore
from publisher_api.outbox import store as outbox

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "self-hosting.md").read_text(encoding="utf-8")
MOVE = GUIDE.partition("\n## Moving from postgres to google\n")[2]
STATEMENTS: dict[str, Any] = dict(re.findall(r"```sql\n *-- (\w+)\n(.*?)```", MOVE, re.DOTALL))
PROGRAMS = {
    name: re.sub(rf"^{indent}", "", code, flags=re.MULTILINE)
    for indent, name, code in re.findall(r"( *)```python\n *# (\w+)\n(.*?)```", GUIDE, re.DOTALL)
}
NOW = datetime.now(UTC)
SOON = NOW + timedelta(hours=1)

Connection = psycopg.Connection[dict[str, Any]]


@pytest.fixture
def connection(postgres_url: str) -> Iterator[Connection]:
    """A connection whose transaction is rolled back after the test, in which no message is left of other tests."""
    with psycopg.connect(postgres_url, row_factory=dict_row) as opened:
        opened.execute("delete from transport.messages")
        opened.execute("delete from state.ledger")
        yield opened
        opened.rollback()


def add_delivery(connection: Connection, *, status: str = "queued", sweep_at: datetime = SOON, **given: Any) -> UUID:
    """Insert a delivery of an e-mail and its notification. Returns the delivery's id."""
    notification_id, delivery_id = uuid4(), uuid4()
    connection.execute(
        """
        insert into notifications (notification_id, producer, user_id, event_type, channels, payload, priority,
                                   created_at)
        values (%s, 'shop', 'ada', 'payment', '{email}', '{}', 100, %s)
        """,
        [notification_id, NOW],
    )
    row = {
        "delivery_id": delivery_id, "notification_id": notification_id, "kind": "email", "slug": "email",
        "status": status, "recipient": "ada@example.com", "content": '{"subject": "s", "text": "t"}', "due_at": NOW,
        "expires_at": NOW + timedelta(days=1), "sweep_at": sweep_at, "updated_at": NOW, **given,
    }  # fmt: skip
    names = ", ".join(row)
    connection.execute(
        f"insert into deliveries ({names}) values ({', '.join(['%s'] * len(row))})",  # noqa: S608 - the names are literals of this module
        list(row.values()),
    )
    return delivery_id


def add_message(connection: Connection, delivery_id: UUID | None, subscription: str = "notifications-email") -> None:
    attributes = {"delivery_id": str(delivery_id), "round": "0"} if delivery_id else {"command": "mark_read"}
    connection.execute(
        "insert into transport.messages (subscription, data, attributes, attempts) values (%s, '', %s, 3)",
        [subscription, Jsonb(attributes)],
    )


def add_claim(
    connection: Connection, delivery_id: UUID, state: str, unconfirmed: int = 0, until: datetime = NOW
) -> None:
    connection.execute(
        """
        insert into state.ledger (key, state, unconfirmed_attempts, lease_until, expire_at)
        values (%s, %s, %s, %s, %s)
        """,
        [f"{delivery_id}.0", state, unconfirmed, until, NOW + timedelta(days=14)],
    )


def delivery(connection: Connection, delivery_id: UUID) -> dict[str, Any]:
    row = connection.execute("select * from deliveries where delivery_id = %s", [delivery_id]).fetchone()
    assert row is not None
    return row


def left(connection: Connection) -> int:
    row = connection.execute("select count(*) as messages from transport.messages").fetchone()
    assert row is not None
    return int(row["messages"])


def swept(connection: Connection) -> set[str]:
    """The deliveries that a sweep would now publish."""
    return {each.delivery_id for each in outbox.claim_due(connection, datetime.now(UTC) + timedelta(seconds=1), 500)}


def test_what_is_under_way_is_counted_by_what_the_ledger_knows(connection: Connection) -> None:
    for state, unconfirmed in (("finished", 0), ("claimed", 0), ("released", 1), ("released", 0)):
        delivery_id = add_delivery(connection)
        add_message(connection, delivery_id)
        add_claim(connection, delivery_id, state, unconfirmed)
    add_message(connection, add_delivery(connection))
    add_message(connection, None, "notifications-inapp")
    email, inapp = connection.execute(STATEMENTS["under_way"]).fetchall()
    assert (email["messages"], email["finished"], email["uncertain"]) == (5, 1, 2)
    assert (inapp["messages"], inapp["finished"], inapp["uncertain"]) == (1, 0, 0)


def test_delivery_that_waits_for_its_next_attempt_is_published_again(connection: Connection) -> None:
    waiting, unclaimed = add_delivery(connection), add_delivery(connection)
    for each in (waiting, unclaimed):
        add_message(connection, each)
    add_claim(connection, waiting, "released")
    connection.execute(STATEMENTS["republish"])
    assert left(connection) == 0
    assert {str(waiting), str(unclaimed)} <= swept(connection)
    assert delivery(connection, waiting)["possible_duplicate"] is False


@pytest.mark.parametrize(("state", "unconfirmed"), [("claimed", 0), ("released", 2)])
def test_delivery_that_may_have_been_sent_is_marked_and_waits(
    connection: Connection, state: str, unconfirmed: int
) -> None:
    uncertain = add_delivery(connection)
    add_message(connection, uncertain)
    add_claim(connection, uncertain, state, unconfirmed, until=SOON)
    connection.execute(STATEMENTS["republish"])
    row = delivery(connection, uncertain)
    assert (row["possible_duplicate"], row["sweep_at"]) == (True, SOON)
    assert str(uncertain) not in swept(connection)


def test_delivery_whose_outcome_only_the_ledger_knows_is_left_to_the_worker(connection: Connection) -> None:
    finished = add_delivery(connection)
    add_message(connection, finished)
    add_claim(connection, finished, "finished")
    connection.execute(STATEMENTS["republish"])
    assert left(connection) == 1
    assert str(finished) not in swept(connection)


def test_delivery_that_has_ended_is_not_published_again(connection: Connection) -> None:
    sent = add_delivery(connection, status="sent")
    add_message(connection, sent)
    add_claim(connection, sent, "finished")
    before = delivery(connection, sent)
    connection.execute(STATEMENTS["republish"])
    assert left(connection) == 0
    assert delivery(connection, sent) == before


def test_deferred_delivery_keeps_its_time(connection: Connection) -> None:
    deferred = add_delivery(connection, status="pending", deferrals=1, deferred_until=SOON)
    add_message(connection, deferred)
    connection.execute(STATEMENTS["republish"])
    assert delivery(connection, deferred)["sweep_at"] == SOON


@pytest.mark.parametrize("subscription", ["notifications-email-dead-function", "delivery-outcomes-publisher"])
def test_dead_letters_and_outcomes_are_left_to_drain(connection: Connection, subscription: str) -> None:
    add_message(connection, add_delivery(connection), subscription)
    connection.execute(STATEMENTS["republish"])
    assert left(connection) == 1


def test_publishing_again_can_be_repeated(connection: Connection) -> None:
    waiting = add_delivery(connection)
    add_message(connection, waiting)
    connection.execute(STATEMENTS["republish"])
    once = delivery(connection, waiting)
    connection.execute(STATEMENTS["republish"])
    assert delivery(connection, waiting) == once


@pytest.mark.emulators
def test_inboxes_and_switches_are_copied_as_often_as_asked(
    postgres_url: str, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", project)
    with psycopg.connect(postgres_url) as source:
        source.execute("delete from state.inbox")
        source.execute(
            """
            insert into state.inbox (user_id, notification_id, delivery_id, event_type, title, body, data, priority,
                                     created_at, delivered_at, read_at, expire_at)
            select 'ada', id, 'd', 'payment', 'Paid', 'b', '{"a": [1]}', 100, %(now)s, %(now)s, %(now)s, %(now)s + kept
              from (values ('n1', interval '90 days'), ('n2', '0 days')) as entries (id, kept)
            """,
            {"now": NOW},
        )
        source.execute(
            """
            insert into state.switches (version, channels) values (7, '{"sms": false}')
            on conflict (only_row) do update set version = 7, channels = excluded.channels
            """
        )
    program = compile(PROGRAMS["copy_inboxes"], "copy_inboxes", "exec")
    for _ in range(2):
        exec(program, {})  # noqa: S102 - the program is the page's own
    [document] = inbox_of(Client(project=project), "ada").stream()
    copied = document.to_dict() or {}
    assert (document.id, copied["title"], copied["data"], copied["read_at"]) == ("n1", "Paid", {"a": [1]}, NOW)
    table = FirestoreSwitchStore(Client(project=project, database=LEDGER_DATABASE)).read()
    assert (table.version, table.channels) == (7, {"sms": False})
    with psycopg.connect(postgres_url) as source:
        source.execute("delete from state.inbox")
        source.execute("delete from state.switches")


def test_every_statement_and_program_is_tested() -> None:
    assert STATEMENTS.keys() == {"under_way", "republish"}
    assert PROGRAMS.keys() == {"copy_inboxes"}
