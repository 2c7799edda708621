"""Erasures of a user who comes back, or of whom something is stored while or after they are erased."""

from datetime import timedelta

from msgspec import to_builtins

from functions.inapp.commands import outcome_of
from publisher_api.deliveries.service import record_outcomes
from publisher_api.settings import Settings
from shared.envelope import Command
from tests.publisher.erasing import Erasing, ada, erasing, send, unswept

__all__ = ["ada", "erasing", "unswept"]  # fixtures


def come_back(settings: Settings, erasing: Erasing, user_id: str) -> str:
    """Let a notification for the user be accepted now, by the clock of the test."""
    notification_id = send(settings, user_id, channels=["inapp"])
    accept = "update notifications set accepted_at = %s where notification_id = %s"
    erasing.sql(accept, erasing.clock(), notification_id)
    return notification_id


def test_a_user_who_comes_back_keeps_what_is_new(unswept: Settings, erasing: Erasing, ada: str) -> None:
    erasing.request(ada)
    erasing.sql("insert into users (user_id, email) values (%s, 'new@x.org')", ada)
    erasing.clock.advance(seconds=1)
    notification_id = come_back(unswept, erasing, ada)
    erasing.finish()
    assert erasing.sql("select status from deliveries") == [{"status": "sent"}]
    assert erasing.sql("select notification_id from state.inbox") == [{"notification_id": notification_id}]
    assert erasing.sql("select email from users") == [{"email": "new@x.org"}]
    assert erasing.sql("select from erasures where completed_at is null") == []


def test_a_user_who_came_back_can_be_erased_again(erasing: Erasing, ada: str) -> None:
    first = erasing.request(ada)
    erasing.finish()
    erasing.sql("insert into users (user_id) values (%s)", ada)
    second = erasing.request(ada)
    assert (second.status, second.erasure_id == first.erasure_id) == ("running", False)
    erasing.finish()
    assert erasing.found(ada) == []


def test_what_was_committed_after_the_erasure_was_complete_is_erased_by_another(
    unswept: Settings, erasing: Erasing, ada: str
) -> None:
    first = erasing.request(ada)
    erasing.finish()
    send(unswept, ada, channels=["inapp"])  # accepted before the first erasure was requested
    second = erasing.request(ada)
    assert (second.status, second.erasure_id == first.erasure_id) == ("running", False)
    erasing.finish()
    assert erasing.found(ada) == []


def test_a_command_about_a_user_who_was_erased_is_erased_by_another(erasing: Erasing, ada: str) -> None:
    first = erasing.request(ada)
    erasing.finish()
    erasing.add_repeated(Command(v=1, command="seen", at=erasing.clock(), user_id=ada))
    assert erasing.request(ada).erasure_id != first.erasure_id
    erasing.finish()
    assert erasing.found(ada) == []


def test_an_erasure_that_meets_new_rows_begins_again(erasing: Erasing, ada: str) -> None:
    first = erasing.request(ada)
    erasing.clock.advance(seconds=30)
    erasing.sql("insert into users (user_id) values (%s)", ada)
    again = erasing.request(ada)
    assert (again.erasure_id, again.requested_at) == (first.erasure_id, first.requested_at + timedelta(seconds=30))
    erasing.finish()
    assert erasing.found(ada) == []


def test_an_erasure_that_began_again_waits_for_the_inbox_once_more(erasing: Erasing, ada: str) -> None:
    first = erasing.request(ada)
    erasing.work()
    erasing.clock.advance(minutes=2)
    erasing.steps()  # the rows are erased: the inbox is asked to report
    erasing.publish()
    [asked] = [message for message in erasing.take() if message.erasure_id == str(first.erasure_id)]
    erasing.store_profile(ada)
    assert erasing.request(ada).erasure_id == first.erasure_id
    erasing.clock.advance(minutes=2)
    erasing.steps()
    late = outcome_of(asked, erasing.clock())
    assert late is not None
    record_outcomes(erasing.sweeping.pool, [late])
    erasing.steps()
    erasing.clock.advance(seconds=10)
    erasing.steps()
    assert erasing.request(ada).waiting_for == "inbox"
    erasing.finish()
    assert (erasing.request(ada).status, erasing.found(ada)) == ("complete", [])


def test_a_user_who_comes_back_keeps_their_marks(unswept: Settings, erasing: Erasing, ada: str) -> None:
    erasing.request(ada)
    erasing.clock.advance(seconds=1)
    come_back(unswept, erasing, ada)
    mark = Command(v=1, command="read_all", at=erasing.clock(), user_id=ada)
    erasing.add_repeated(mark)
    erasing.finish()
    assert erasing.sql("select from erasures where completed_at is null") == []
    assert [row["body"]["at"] for row in erasing.sql("select body from command_repeats")] == [to_builtins(mark)["at"]]
