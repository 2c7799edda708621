"""What uses an inbox, over each implementation of ``Inbox``: the provider of the channel type inapp, and commands."""

from datetime import datetime, timedelta

import pytest

from functions.inapp import commands
from functions.inapp.inbox import InboxProvider
from functions.runtime.provider import Rejected, Sent
from functions.runtime.switches import SwitchTable
from shared.envelope import Command
from shared.errors import Retryable, Undecodable
from shared.reasons import Reason
from tests.contract.inboxes import ENTRY, LATER, Inboxes
from tests.factories import NOON, make_delivery
from tests.fakes import Clock, MemoryInbox, MemorySwitchStore


class TestInboxProvider:
    def test_delivery_becomes_an_entry(self, inboxes: Inboxes) -> None:
        delivery = make_delivery("inapp", notification_id="n1", delivery_id="d1", actor_user_id="grace", tenant="acme")
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


def read(*ids: str, user_id: str | None = "ada") -> Command:
    return Command(v=1, command="read", at=LATER, user_id=user_id, notification_ids=list(ids))


def read_all(*ids: str, user_id: str | None = "ada") -> Command:
    return Command(v=1, command="read_all", at=LATER, user_id=user_id, notification_ids=list(ids))


def apply(inboxes: Inboxes, command: Command, now: datetime = LATER) -> None:
    commands.apply(command, inboxes.port, MemorySwitchStore(), now)


def erase(user_id: str | None = "ada", erasure_id: str | None = None) -> Command:
    return Command(v=1, command="erase", at=LATER, user_id=user_id, erasure_id=erasure_id)


def delete(*ids: str, user_id: str = "ada") -> Command:
    return Command(v=1, command="delete", at=LATER, user_id=user_id, notification_ids=list(ids))


class TestLateDeliveries:
    """Of a user who was erased after the notification was accepted."""

    LATE = LATER + timedelta(minutes=5)

    def send(self, inboxes: Inboxes, accepted_at: datetime | None, now: datetime) -> Sent | Rejected:
        delivery = make_delivery("inapp", notification_id="n1", accepted_at=accepted_at)
        return InboxProvider(inboxes.port, Clock(now)).send(delivery)

    def test_a_late_delivery_does_not_bring_back_an_erased_inbox(self, inboxes: Inboxes) -> None:
        apply(inboxes, erase())
        assert self.send(inboxes, LATER, self.LATE) == Rejected("inbox", Reason.ERASED, suppress=True)
        assert inboxes.of("ada") == {}

    def test_a_late_delivery_of_an_earlier_release_does_not_either(self, inboxes: Inboxes) -> None:
        apply(inboxes, erase())
        assert self.send(inboxes, None, self.LATE) == Rejected("inbox", Reason.ERASED, suppress=True)

    def test_a_delivery_that_passed_the_first_erasing_is_erased_by_the_second(self, inboxes: Inboxes) -> None:
        apply(inboxes, erase())
        self.send(inboxes, LATER, LATER + timedelta(seconds=1))
        apply(inboxes, erase(erasure_id="e1"), LATER + timedelta(minutes=1))
        assert inboxes.of("ada") == {}

    def test_a_user_who_came_back_gets_what_was_accepted_since(self, inboxes: Inboxes) -> None:
        apply(inboxes, erase())
        assert self.send(inboxes, LATER + timedelta(seconds=1), self.LATE) == Sent("inbox", "n1")
        apply(inboxes, erase(erasure_id="e1"), self.LATE)
        assert list(inboxes.of("ada")) == ["n1"]


class TestCommands:
    def test_erase_deletes_the_entries(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1")
        apply(inboxes, erase())
        assert inboxes.of("ada") == {}

    def test_delete_deletes_the_named_entries_of_the_user(self, inboxes: Inboxes) -> None:
        ids = [f"n{number}" for number in range(401)]  # more than fit into one batch
        inboxes.fill(*ids, "kept")
        inboxes.fill("n1", user_id="grace")
        for _ in range(2):
            apply(inboxes, delete(*ids, "missing"))
        assert (list(inboxes.of("ada")), list(inboxes.of("grace"))) == (["kept"], ["n1"])

    def test_a_user_who_cannot_have_an_inbox_has_nothing_to_delete(self, inboxes: Inboxes) -> None:
        apply(inboxes, erase("eve/inbox/n1"))
        apply(inboxes, delete("n1", user_id="eve/inbox"))

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
        "command", [read("n1", user_id=None), read_all(user_id=None), read_all(user_id="eve/inbox/n1"), erase(None)]
    )
    def test_command_without_a_valid_user_id_is_undecodable(self, inboxes: Inboxes, command: Command) -> None:
        with pytest.raises(Undecodable):
            apply(inboxes, command)


def test_command_channels_stores_the_switches() -> None:
    store = MemorySwitchStore()
    command = Command(v=1, command="channels", at=NOON, channels={"email": False}, version=3)
    commands.apply(command, MemoryInbox(), store, LATER)
    assert store.read() == SwitchTable(3, {"email": False})
