from datetime import timedelta

import pytest
from google.cloud.firestore import Client

from functions.inapp import commands
from functions.inapp.inbox import KEPT_FOR, Inbox, inbox_of, is_document_id
from functions.runtime.provider import Rejected, Sent
from functions.runtime.switchboard import Table, read_table
from shared.envelope import Command
from shared.errors import Retryable, Undecodable
from tests.factories import NOON, make_delivery
from tests.fakes import Clock

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def firestore(request: pytest.FixtureRequest) -> Client:
    return Client(project=request.getfixturevalue("project"))


def fill(firestore: Client, *ids: str, user_id: str = "ada") -> None:
    inbox = Inbox(firestore, Clock())
    for each in ids:
        inbox.send(make_delivery("inapp", notification_id=each, recipient=user_id))


def read_at(firestore: Client, notification_id: str, user_id: str = "ada") -> object:
    return inbox_of(firestore, user_id).document(notification_id).get().get("read_at")


@pytest.mark.emulators
class TestInbox:
    def test_a_delivery_becomes_a_document(self, firestore: Client) -> None:
        delivery = make_delivery("inapp", actor_user_id="grace")
        assert Inbox(firestore, Clock(LATER)).send(delivery) == Sent("firestore", delivery.notification_id)
        assert inbox_of(firestore, "ada").document(delivery.notification_id).get().to_dict() == {
            "notification_id": delivery.notification_id,
            "delivery_id": delivery.delivery_id,
            "event_type": "payment",
            "title": "Paid",
            "body": "You paid 10.",
            "url": "/payments/1",
            "data": {"amount": 10},
            "actor_user_id": "grace",
            "priority": 100,
            "created_at": NOON,
            "delivered_at": LATER,
            "read_at": None,
            "expire_at": LATER + KEPT_FOR,
        }

    def test_what_was_read_before_it_arrived_arrives_read(self, firestore: Client) -> None:
        Inbox(firestore, Clock(LATER)).send(make_delivery("inapp", notification_id="n1", read_at=NOON))
        assert read_at(firestore, "n1") == NOON

    def test_a_delivery_that_comes_again_changes_nothing_and_is_sent(self, firestore: Client) -> None:
        delivery = make_delivery("inapp", notification_id="n1")
        Inbox(firestore, Clock()).send(delivery)
        commands.apply(firestore, read("n1"), LATER)
        assert Inbox(firestore, Clock(LATER)).send(delivery) == Sent("firestore", "n1")
        assert read_at(firestore, "n1") == LATER

    @pytest.mark.parametrize("user_id", ["a/b", "eve/inbox/n1", ".", "..", "__all__"])
    def test_a_user_id_that_is_no_place_of_its_own_is_rejected(self, firestore: Client, user_id: str) -> None:
        delivery = make_delivery("inapp", recipient=user_id)
        assert Inbox(firestore, Clock()).send(delivery) == Rejected("firestore", "invalid_user_id")


@pytest.mark.parametrize("user_id", ["ada", "ada@example.com", "auth0|7", "a.b", "...", "__ada", "käthe"])
def test_usual_user_ids_are_document_ids(user_id: str) -> None:
    assert is_document_id(user_id)


def read(*ids: str, user_id: str | None = "ada") -> Command:
    return Command(v=1, command="read", at=LATER, user_id=user_id, notification_ids=list(ids))


def read_all(user_id: str | None = "ada", *on_their_way: str) -> Command:
    return Command(v=1, command="read_all", at=LATER, user_id=user_id, notification_ids=list(on_their_way))


def switch(version: int, **channels: bool) -> Command:
    return Command(v=1, command="channels", at=NOON, channels=channels, version=version)


@pytest.mark.emulators
class TestCommands:
    def test_read_marks_those_and_no_others(self, firestore: Client) -> None:
        fill(firestore, "n1", "n2", "n3")
        commands.apply(firestore, read("n1", "n2"), LATER)
        assert [read_at(firestore, each) for each in ("n1", "n2", "n3")] == [LATER, LATER, None]

    def test_the_first_reading_stands(self, firestore: Client) -> None:
        fill(firestore, "n1")
        commands.apply(firestore, read("n1"), LATER)
        again = Command(v=1, command="read", at=LATER + timedelta(days=1), user_id="ada", notification_ids=["n1"])
        commands.apply(firestore, again, LATER)
        assert read_at(firestore, "n1") == LATER

    def test_a_read_that_overtook_its_notification_is_tried_again(self, firestore: Client) -> None:
        fill(firestore, "n1")
        with pytest.raises(Retryable, match="1 of 2"):
            commands.apply(firestore, read("n1", "n2"), LATER)
        assert read_at(firestore, "n1") == LATER, "and what is there already is marked"

    def test_a_read_reaches_into_no_other_inbox(self, firestore: Client) -> None:
        fill(firestore, "n1", user_id="grace")
        with pytest.raises(Retryable):
            commands.apply(firestore, read("n1"), LATER)
        assert read_at(firestore, "n1", "grace") is None

    def test_more_are_read_at_once_than_fit_one_batch(self, firestore: Client) -> None:
        ids = [f"n{number}" for number in range(401)]
        fill(firestore, *ids)
        commands.apply(firestore, read(*ids), LATER)
        assert read_at(firestore, "n0") == read_at(firestore, "n400") == LATER

    def test_read_all_marks_what_was_there_by_then(self, firestore: Client) -> None:
        fill(firestore, "n1", "n2")
        late = make_delivery("inapp", notification_id="late", created_at=LATER + timedelta(seconds=1))
        Inbox(firestore, Clock()).send(late)
        commands.apply(firestore, read_all(), LATER)
        assert [read_at(firestore, each) for each in ("n1", "n2", "late")] == [LATER, LATER, None]

    def test_read_all_comes_again_for_what_it_has_overtaken(self, firestore: Client) -> None:
        fill(firestore, "there")
        with pytest.raises(Retryable):
            commands.apply(firestore, read_all("ada", "late"), LATER)
        fill(firestore, "late")
        commands.apply(firestore, read_all("ada", "late"), LATER)
        assert (read_at(firestore, "there"), read_at(firestore, "late")) == (LATER, LATER)

    def test_what_has_not_come_for_an_hour_is_not_waited_for(self, firestore: Client) -> None:
        fill(firestore, "there")
        commands.apply(firestore, read("there", "lost"), LATER + timedelta(hours=1))
        assert read_at(firestore, "there") == LATER

    @pytest.mark.parametrize("command", [read("n1", user_id=None), read_all(None), read_all("eve/inbox/n1")])
    def test_a_command_needs_the_id_of_a_user(self, firestore: Client, command: Command) -> None:
        with pytest.raises(Undecodable):
            commands.apply(firestore, command, LATER)

    def test_the_switchboard_is_empty_until_it_is_set(self, firestore: Client) -> None:
        assert read_table(firestore) == Table()
        commands.apply(firestore, switch(1, email=False), LATER)
        assert read_table(firestore).channels == {"email": False}

    def test_a_newer_switchboard_takes_the_place_of_an_older_one_as_a_whole(self, firestore: Client) -> None:
        commands.apply(firestore, switch(1, email=False, sms=False), LATER)
        commands.apply(firestore, switch(2, sms=True), LATER)
        assert read_table(firestore) == Table(2, {"sms": True})

    @pytest.mark.parametrize("version", [1, 2])
    def test_an_older_switchboard_never_does(self, firestore: Client, version: int) -> None:
        commands.apply(firestore, switch(2, email=False), LATER)
        commands.apply(firestore, switch(version, email=True), LATER)
        assert read_table(firestore).channels == {"email": False}
