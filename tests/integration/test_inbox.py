"""The contract of ``Inbox``, for each implementation; and the inapp provider and the commands over all of them."""

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from google.cloud.firestore import Client

from functions.google.inbox import FirestoreInbox, inbox_of
from functions.inapp import commands
from functions.inapp.inbox import InboxProvider
from functions.postgres.inbox import PostgresInbox
from functions.runtime.inbox import KEPT_FOR, InboxEntry, can_have_inbox
from functions.runtime.ports import Inbox
from functions.runtime.provider import Rejected, Sent
from functions.runtime.switches import SwitchTable
from postgres.pool import Pool
from shared.envelope import Command
from shared.errors import Retryable, Undecodable
from shared.reasons import Reason
from tests.factories import NOON, make_delivery
from tests.fakes import Clock, MemoryInbox, MemorySwitchStore

LATER = NOON + timedelta(hours=1)

ENTRY = InboxEntry(
    notification_id="n1",
    delivery_id="d1",
    event_type="payment",
    title="Paid",
    body="You paid 10.",
    url="/payments/1",
    data={"amount": 10},
    actor_user_id="grace",
    priority=100,
    created_at=NOON,
    delivered_at=LATER,
    read_at=None,
)


def entry(notification_id: str) -> InboxEntry:
    return dataclasses.replace(ENTRY, notification_id=notification_id)


@dataclasses.dataclass(frozen=True)
class Inboxes:
    """An inbox, and a look at what is in it."""

    port: Inbox
    of: Callable[[str], dict[str, InboxEntry]]

    def fill(self, *notification_ids: str, user_id: str = "ada") -> None:
        for notification_id in notification_ids:
            self.port.put(user_id, entry(notification_id))

    def read_at(self, *notification_ids: str, user_id: str = "ada") -> list[datetime | None]:
        found = self.of(user_id)
        return [found[notification_id].read_at for notification_id in notification_ids]


@pytest.fixture(params=["memory", "postgres", pytest.param("firestore", marks=pytest.mark.emulators)])
def inboxes(request: pytest.FixtureRequest) -> Inboxes:
    if request.param == "memory":
        memory = MemoryInbox()
        return Inboxes(memory, memory.entries)
    if request.param == "postgres":
        state: Pool = request.getfixturevalue("state")
        return Inboxes(PostgresInbox(state), lambda user_id: rows_of(state, user_id))
    client: Client = request.getfixturevalue("firestore")

    def of(user_id: str) -> dict[str, InboxEntry]:
        documents = {document.id: document.to_dict() or {} for document in inbox_of(client, user_id).stream()}
        names = {field.name for field in dataclasses.fields(InboxEntry)}
        return {
            key: InboxEntry(**{name: fields[name] for name in fields if name in names})
            for key, fields in documents.items()
        }

    return Inboxes(FirestoreInbox(client), of)


def rows_of(state: Pool, user_id: str) -> dict[str, InboxEntry]:
    names = ", ".join(field.name for field in dataclasses.fields(InboxEntry))
    with state.connection() as connection:
        rows = connection.execute(f"select {names} from state.inbox where user_id = %s", [user_id])  # noqa: S608 - constants
        return {row["notification_id"]: InboxEntry(**row) for row in rows}


class TestInbox:
    def test_entry_is_kept_as_it_was_put(self, inboxes: Inboxes) -> None:
        inboxes.port.put("ada", ENTRY)
        assert inboxes.of("ada") == {"n1": ENTRY}

    def test_entry_that_is_put_again_changes_nothing(self, inboxes: Inboxes) -> None:
        inboxes.port.put("ada", ENTRY)
        inboxes.port.mark_read("ada", ["n1"], LATER)
        inboxes.port.put("ada", dataclasses.replace(ENTRY, title="again"))
        assert inboxes.of("ada") == {"n1": dataclasses.replace(ENTRY, read_at=LATER)}

    def test_inbox_holds_what_was_put_into_it_and_nothing_else(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1")
        assert inboxes.port.holds("ada", "n1")
        assert not inboxes.port.holds("ada", "n2")
        assert not inboxes.port.holds("grace", "n1")

    def test_mark_read_marks_the_named_entries_only(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1", "n2", "n3")
        assert inboxes.port.mark_read("ada", ["n1", "n2"], LATER) == 0
        assert inboxes.read_at("n1", "n2", "n3") == [LATER, LATER, None]

    def test_first_reading_time_is_kept(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1")
        for at in (LATER, LATER + timedelta(days=1)):
            inboxes.port.mark_read("ada", ["n1"], at)
        inboxes.port.mark_all_read("ada", LATER + timedelta(days=2))
        assert inboxes.read_at("n1") == [LATER]

    def test_mark_read_returns_how_many_are_missing_and_marks_the_others(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1")
        assert inboxes.port.mark_read("ada", ["n1", "n2", "n3"], LATER) == 2
        assert inboxes.read_at("n1") == [LATER]

    def test_mark_read_does_not_touch_another_users_inbox(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1", user_id="grace")
        assert inboxes.port.mark_read("ada", ["n1"], LATER) == 1
        inboxes.port.mark_all_read("ada", LATER)
        assert inboxes.read_at("n1", user_id="grace") == [None]

    @pytest.mark.parametrize("mark_all", [False, True])
    def test_more_entries_are_marked_than_fit_into_one_batch(self, inboxes: Inboxes, *, mark_all: bool) -> None:
        ids = [f"n{number}" for number in range(401)]
        inboxes.fill(*ids)
        if mark_all:
            inboxes.port.mark_all_read("ada", LATER)
        else:
            inboxes.port.mark_read("ada", ids, LATER)
        assert set(inboxes.read_at(*ids)) == {LATER}

    def test_mark_all_read_marks_what_was_delivered_by_then(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1", "n2")
        late = dataclasses.replace(ENTRY, notification_id="late", delivered_at=LATER + timedelta(seconds=1))
        inboxes.port.put("ada", late)
        inboxes.port.mark_all_read("ada", LATER)
        assert inboxes.read_at("n1", "n2", "late") == [LATER, LATER, None]


@pytest.mark.emulators
def test_firestore_document_has_an_expiry_time(firestore: Client) -> None:
    FirestoreInbox(firestore).put("ada", ENTRY)
    document = inbox_of(firestore, "ada").document("n1").get().to_dict()
    assert document == {**dataclasses.asdict(ENTRY), "expire_at": LATER + KEPT_FOR}


def test_unavailable_firestore_is_retryable(monkeypatch: pytest.MonkeyPatch, nowhere: str) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", nowhere)
    with pytest.raises(Retryable) as caught:
        FirestoreInbox(Client(project="p")).put("ada", ENTRY)
    assert caught.value.reason == Reason.INBOX_UNAVAILABLE


class TestInboxProvider:
    def test_delivery_becomes_an_entry(self, inboxes: Inboxes) -> None:
        delivery = make_delivery("inapp", notification_id="n1", delivery_id="d1", actor_user_id="grace")
        assert InboxProvider(inboxes.port, Clock(LATER)).send(delivery) == Sent("inbox", "n1")
        assert inboxes.of("ada") == {"n1": ENTRY}

    def test_notification_that_was_read_before_it_arrived_arrives_read(self, inboxes: Inboxes) -> None:
        delivery = make_delivery("inapp", notification_id="n1", read_at=NOON)
        InboxProvider(inboxes.port, Clock(LATER)).send(delivery)
        assert inboxes.read_at("n1") == [NOON]

    def test_repeated_delivery_changes_nothing_and_is_sent(self, inboxes: Inboxes) -> None:
        delivery = make_delivery("inapp", notification_id="n1")
        InboxProvider(inboxes.port, Clock(NOON)).send(delivery)
        before = inboxes.of("ada")
        assert InboxProvider(inboxes.port, Clock(LATER)).send(delivery) == Sent("inbox", "n1")
        assert inboxes.of("ada") == before

    @pytest.mark.parametrize("user_id", ["a/b", "eve/inbox/n1", ".", "..", "__all__"])
    def test_user_id_that_leads_into_another_path_is_rejected(self, inboxes: Inboxes, user_id: str) -> None:
        delivery = make_delivery("inapp", recipient=user_id)
        rejected = Rejected("inbox", Reason.INVALID_USER_ID)
        assert InboxProvider(inboxes.port, Clock()).send(delivery) == rejected


@pytest.mark.parametrize("user_id", ["ada", "ada@example.com", "auth0|7", "a.b", "...", "__ada", "käthe"])
def test_common_user_ids_can_have_an_inbox(user_id: str) -> None:
    assert can_have_inbox(user_id)


def read(*ids: str, user_id: str | None = "ada") -> Command:
    return Command(v=1, command="read", at=LATER, user_id=user_id, notification_ids=list(ids))


def read_all(*ids: str, user_id: str | None = "ada") -> Command:
    return Command(v=1, command="read_all", at=LATER, user_id=user_id, notification_ids=list(ids))


def apply(inboxes: Inboxes, command: Command, now: datetime = LATER) -> None:
    commands.apply(command, inboxes.port, MemorySwitchStore(), now)


class TestCommands:
    def test_read_marks_the_named_notifications(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1", "n2")
        apply(inboxes, read("n1"))
        assert inboxes.read_at("n1", "n2") == [LATER, None]

    def test_read_is_retryable_until_its_notifications_have_arrived(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1")
        with pytest.raises(Retryable, match="1 of 2") as caught:
            apply(inboxes, read("n1", "n2"))
        assert caught.value.reason == Reason.NOT_THERE_YET
        assert inboxes.read_at("n1") == [LATER], "what has arrived is marked"

    def test_read_all_marks_every_entry(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1", "n2")
        apply(inboxes, read_all())
        assert inboxes.read_at("n1", "n2") == [LATER, LATER]

    def test_read_all_is_retryable_until_the_named_notifications_have_arrived(self, inboxes: Inboxes) -> None:
        inboxes.fill("there")
        with pytest.raises(Retryable):
            apply(inboxes, read_all("late"))
        inboxes.fill("late")
        apply(inboxes, read_all("late"))
        assert inboxes.read_at("there", "late") == [LATER, LATER]

    def test_notification_that_has_not_arrived_for_an_hour_is_given_up(self, inboxes: Inboxes) -> None:
        inboxes.fill("there")
        apply(inboxes, read("there", "lost"), LATER + timedelta(hours=1))
        assert inboxes.read_at("there") == [LATER]

    @pytest.mark.parametrize(
        "command", [read("n1", user_id=None), read_all(user_id=None), read_all(user_id="eve/inbox/n1")]
    )
    def test_command_without_a_valid_user_id_is_undecodable(self, inboxes: Inboxes, command: Command) -> None:
        with pytest.raises(Undecodable):
            apply(inboxes, command)


def test_command_channels_stores_the_switches() -> None:
    store = MemorySwitchStore()
    command = Command(v=1, command="channels", at=NOON, channels={"email": False}, version=3)
    commands.apply(command, MemoryInbox(), store, LATER)
    assert store.read() == SwitchTable(3, {"email": False})
