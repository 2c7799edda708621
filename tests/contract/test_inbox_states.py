"""What an entry of an inbox can be besides read: seen and archived, for each implementation of ``Inbox``.

And in Postgres the versions, by which clients notice what has changed.
"""

import dataclasses
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import msgspec
import psycopg
import pytest
from google.cloud.firestore import Client

from functions.google.inbox import FirestoreInbox, inbox_of
from functions.inapp import commands
from functions.inapp.inbox import InboxProvider
from functions.postgres.inbox import PostgresInbox
from postgres.pool import Pool
from shared.envelope import Command
from shared.errors import Retryable, Undecodable
from tests.contract.inboxes import ENTRY, LATER, Inboxes, count_versions, entry
from tests.factories import NOON, make_delivery
from tests.fakes import Clock, MemorySwitchStore

LATEST = LATER + timedelta(days=1)


class TestStates:
    def test_seen_marks_what_was_delivered_by_then_and_nothing_else(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1")
        inboxes.fill("n1", user_id="grace")
        inboxes.port.put("ada", dataclasses.replace(entry("late"), delivered_at=LATER + timedelta(seconds=1)))
        inboxes.port.mark_seen("ada", LATER)
        assert inboxes.marks("n1") == (LATER, None, None)
        assert inboxes.marks("late") == inboxes.marks("n1", "grace") == (None, None, None)

    def test_archive_marks_the_named_entries_and_returns_how_many_are_missing(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1", "n2")
        assert inboxes.port.mark_archived("ada", ["n1", "n3"], LATER) == 1
        assert inboxes.marks("n1") == (LATER, None, LATER)
        assert inboxes.marks("n2") == (None, None, None)

    def test_every_mark_keeps_its_first_time(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1")
        inboxes.port.mark_seen("ada", LATER)
        inboxes.port.mark_read("ada", ["n1"], LATER + timedelta(hours=1))
        inboxes.port.mark_archived("ada", ["n1"], LATER + timedelta(hours=2))
        for mark in (inboxes.port.mark_read, inboxes.port.mark_archived):
            mark("ada", ["n1"], LATEST)
        inboxes.port.mark_all_read("ada", LATEST)
        inboxes.port.mark_seen("ada", LATEST)
        assert inboxes.marks("n1") == (LATER, LATER + timedelta(hours=1), LATER + timedelta(hours=2))

    def test_what_is_read_is_seen(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1")
        inboxes.port.mark_all_read("ada", LATER)
        inboxes.port.mark_seen("ada", LATEST)
        assert inboxes.marks("n1") == (LATER, LATER, None)

    def test_more_entries_are_seen_than_fit_into_one_batch(self, inboxes: Inboxes) -> None:
        ids = [f"n{number}" for number in range(401)]
        inboxes.fill(*ids)
        inboxes.port.mark_seen("ada", LATER)
        assert {found.seen_at for found in inboxes.of("ada").values()} == {LATER}

    def test_notification_that_was_archived_before_it_arrived_arrives_archived(self, inboxes: Inboxes) -> None:
        delivery = make_delivery("inapp", notification_id="n1", archived_at=NOON)
        InboxProvider(inboxes.port, Clock(LATER)).send(delivery)
        assert inboxes.marks("n1") == (NOON, None, NOON)


def command(name: str, *ids: str, user_id: str | None = "ada") -> Command:
    fields = {"v": 1, "command": name, "at": LATER, "user_id": user_id, "notification_ids": list(ids)}
    return Command(**fields)  # type: ignore[arg-type]  # the name is one of the literals


def apply(inboxes: Inboxes, received: Command) -> None:
    commands.apply(received, inboxes.port, MemorySwitchStore(), LATER)


class TestCommands:
    def test_seen_marks_everything_that_was_delivered(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1", "n2")
        apply(inboxes, command("seen"))
        assert inboxes.marks("n1") == inboxes.marks("n2") == (LATER, None, None)

    def test_archive_is_retryable_until_its_notifications_have_arrived(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1")
        with pytest.raises(Retryable, match="1 of 2"):
            apply(inboxes, command("archive", "n1", "n2"))
        assert inboxes.marks("n1") == (LATER, None, LATER)

    @pytest.mark.parametrize("name", ["seen", "archive"])
    def test_command_without_a_valid_user_id_is_undecodable(self, inboxes: Inboxes, name: str) -> None:
        for user_id in (None, "eve/inbox/n1"):
            with pytest.raises(Undecodable):
                apply(inboxes, command(name, "n1", user_id=user_id))


@pytest.mark.emulators
def test_document_of_a_release_without_states_can_be_read_and_archived(firestore: Client) -> None:
    old = {key: value for key, value in dataclasses.asdict(ENTRY).items() if key not in ("seen_at", "archived_at")}
    document = inbox_of(firestore, "ada").document("n1")
    document.create(old)
    inbox = FirestoreInbox(firestore)
    inbox.mark_seen("ada", LATER)
    assert document.get().to_dict() == old
    assert inbox.mark_archived("ada", ["n1"], LATER) == 0
    inbox.mark_all_read("ada", LATEST)
    assert document.get().to_dict() == {**old, "seen_at": LATER, "archived_at": LATER, "read_at": LATEST}


@pytest.fixture
def listening(postgres_url: str) -> Iterator[psycopg.Connection]:
    """A connection that hears which inboxes changed."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("listen inbox")
        yield connection


def heard(listening: psycopg.Connection) -> list[str]:
    listening.execute("select")
    return [notification.payload for notification in listening.notifies(timeout=0.2)]


def versions(state: Pool, user_id: str = "ada") -> tuple[int, dict[str, int]]:
    """The version of an inbox, and those of its entries."""
    with state.connection() as connection:
        head = connection.execute("select version from state.inbox_heads where user_id = %s", [user_id]).fetchone()
        rows = connection.execute("select notification_id, version from state.inbox where user_id = %s", [user_id])
        return head["version"] if head else 0, {row["notification_id"]: row["version"] for row in rows}


def test_every_change_raises_the_version_and_names_the_user_once(state: Pool, listening: psycopg.Connection) -> None:
    count_versions(state, "ada")
    inbox = PostgresInbox(state)
    inbox.put("ada", entry("n1"))
    inbox.put("ada", entry("n2"))
    assert versions(state) == (2, {"n1": 1, "n2": 2})
    inbox.mark_read("ada", ["n1", "n2"], LATER)
    assert versions(state) == (3, {"n1": 3, "n2": 3})
    inbox.mark_archived("ada", ["n2"], LATER)
    assert versions(state) == (4, {"n1": 3, "n2": 4})
    assert heard(listening) == ["ada"] * 4


def test_what_changes_nothing_wakes_no_client_and_changes_no_entry(state: Pool, listening: psycopg.Connection) -> None:
    count_versions(state, "ada")
    inbox = PostgresInbox(state)
    inbox.put("ada", entry("n1"))
    inbox.mark_read("ada", ["n1"], LATER)
    inbox.put("ada", entry("n1"))
    inbox.mark_read("ada", ["n1", "missing"], LATER)
    inbox.mark_all_read("ada", LATER)
    inbox.mark_seen("ada", LATER)
    assert heard(listening) == ["ada"] * 2
    assert versions(state)[1] == {"n1": 2}


def test_versions_of_one_user_become_visible_in_order(state: Pool) -> None:
    """A reader that asks for what is newer than the version it has seen misses nothing, whatever commits meanwhile."""
    ids = [f"n{number}" for number in range(200)]
    inboxes = [PostgresInbox(state) for _ in range(3)]  # each gathers in a thread of its own, as a worker process does
    seen: dict[str, int] = {}
    since = 0
    with ThreadPoolExecutor(12) as threads:
        changes: list[Future[Any]] = [
            threads.submit(inboxes[number % 3].put, "ada", entry(each)) for number, each in enumerate(ids)
        ]
        changes += [threads.submit(inboxes[0].mark_read, "ada", ids[:number], LATER) for number in range(0, 200, 20)]
        while not all(change.done() for change in changes) or since < max(versions(state)[1].values()):
            with state.connection() as connection:
                rows = connection.execute(
                    "select notification_id, version from state.inbox where user_id = 'ada' and version > %s", [since]
                ).fetchall()
            seen |= {row["notification_id"]: row["version"] for row in rows}
            since = max([since, *(row["version"] for row in rows)])
    assert [error for change in changes if (error := change.exception())] == []
    assert seen == versions(state)[1]
    assert seen.keys() == set(ids)


def test_worker_of_the_release_before_still_puts_and_marks(state: Pool) -> None:
    count_versions(state, "ada")
    names = "user_id, expire_at, " + ", ".join(
        field.name for field in dataclasses.fields(ENTRY) if field.name not in ("seen_at", "archived_at")
    )
    row = {**dataclasses.asdict(ENTRY), "user_id": "ada", "expire_at": LATEST}
    with state.connection() as connection:
        connection.execute(
            f"insert into state.inbox ({names}) select {names}"  # noqa: S608 - constants
            " from json_populate_recordset(null::state.inbox, %s::json) on conflict do nothing",
            [msgspec.json.encode([row]).decode()],
        )
        connection.execute("update state.inbox set read_at = %s where user_id = 'ada'", [LATER])
    PostgresInbox(state).mark_archived("ada", ["n1"], LATEST)
    assert versions(state) == (1, {"n1": 1})
