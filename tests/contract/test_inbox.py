"""The contract of ``Inbox``: over the fake, over Postgres and over Firestore."""

import dataclasses
from datetime import timedelta

import pytest

from functions.runtime.inbox import can_have_inbox
from tests.contract.inboxes import ENTRY, LATER, Inboxes
from tests.factories import NOON


class TestInbox:
    def test_entry_is_kept_as_it_was_put(self, inboxes: Inboxes) -> None:
        inboxes.port.put("ada", ENTRY)
        assert inboxes.of("ada") == {"n1": ENTRY}

    def test_entry_that_is_put_again_changes_nothing(self, inboxes: Inboxes) -> None:
        inboxes.port.put("ada", ENTRY)
        inboxes.port.mark_read("ada", ["n1"], LATER)
        inboxes.port.put("ada", dataclasses.replace(ENTRY, title="again"))
        assert inboxes.of("ada") == {"n1": dataclasses.replace(ENTRY, seen_at=LATER, read_at=LATER)}

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


@pytest.mark.parametrize("user_id", ["ada", "ada@example.com", "auth0|7", "a.b", "...", "__ada", "käthe"])
def test_common_user_ids_can_have_an_inbox(user_id: str) -> None:
    assert can_have_inbox(user_id)


class TestErasing:
    def test_erasing_deletes_what_was_accepted_by_then(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1", "n2")
        inboxes.port.put("ada", dataclasses.replace(ENTRY, notification_id="new", accepted_at=LATER))
        inboxes.port.erase("ada", NOON, LATER)
        assert list(inboxes.of("ada")) == ["new"]

    def test_erasing_touches_no_other_inbox(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1", user_id="grace")
        inboxes.port.erase("ada", LATER, LATER)
        assert list(inboxes.of("grace")) == ["n1"]
        assert inboxes.port.erased_until("grace") is None

    def test_more_entries_are_erased_than_fit_into_one_batch(self, inboxes: Inboxes) -> None:
        inboxes.fill(*(f"n{number}" for number in range(401)))
        inboxes.port.erase("ada", NOON, LATER)
        assert inboxes.of("ada") == {}

    def test_an_inbox_remembers_the_latest_time_by_which_it_was_erased(self, inboxes: Inboxes) -> None:
        assert inboxes.port.erased_until("ada") is None
        for until in (NOON, LATER, NOON):
            inboxes.port.erase("ada", until, LATER)
        assert inboxes.port.erased_until("ada") == LATER

    def test_an_erased_inbox_can_be_filled_again(self, inboxes: Inboxes) -> None:
        inboxes.fill("n1")
        inboxes.port.erase("ada", NOON, LATER)
        inboxes.fill("n1")
        assert list(inboxes.of("ada")) == ["n1"]
