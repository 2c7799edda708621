"""Reading notifications, the inbox, users and configuration through the API."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.publisher.running import LATER, Publisher, notification, problem_of
from tests.publisher.topic import waiting_for


def test_notifications_are_paged_by_offset_and_by_cursor(publisher: Publisher) -> None:
    user = f"u-{uuid.uuid4().hex}"
    sent = [publisher.accept(user_id=user) for _ in range(5)]
    newest_first = sent[::-1]

    def page(**query: Any) -> Any:
        return publisher.http.get("/v1/notifications", params={"user_id": user, **query}).json()

    assert [n["notification_id"] for n in page()["notifications"]] == newest_first
    assert [n["notification_id"] for n in page(limit=2, offset=2)["notifications"]] == newest_first[2:4]
    assert pages(publisher, user, limit=2) == newest_first


def test_created_at_is_kept_and_accepted_at_is_ours(publisher: Publisher) -> None:
    created_at = datetime.now(UTC) - timedelta(days=3)
    notification_id = publisher.accept(created_at=created_at.isoformat())
    found: Any = publisher.read(notification_id)
    accepted_at = datetime.fromisoformat(found["timeline"][0]["at"])
    assert datetime.fromisoformat(found["created_at"]) == created_at
    assert found["timeline"][0]["event"] == "accepted"
    assert abs(datetime.now(UTC) - accepted_at) < timedelta(minutes=1)
    [message] = publisher.topic.deliveries(notification_id)
    assert message.created_at == created_at


def test_notifications_are_listed_by_created_at_whatever_the_order_of_acceptance(publisher: Publisher) -> None:
    user, now = f"u-{uuid.uuid4().hex}", datetime.now(UTC)
    hours_ago = [5, 1, 30, 2, 8]
    ids = {hours: accept_created(publisher, user, now - timedelta(hours=hours)) for hours in hours_ago}
    same_time = sorted(accept_created(publisher, user, now - timedelta(hours=3)) for _ in range(3))
    expected = [ids[1], ids[2], *reversed(same_time), ids[5], ids[8], ids[30]]
    for limit in (100, 3):
        assert pages(publisher, user, limit) == expected


def accept_created(publisher: Publisher, user: str, created_at: datetime) -> str:
    return publisher.accept(user_id=user, created_at=created_at.isoformat())


def pages(publisher: Publisher, user: str, limit: int) -> list[str]:
    """The ids of a user's notifications, read page after page."""
    seen: list[str] = []
    query: dict[str, str | int] = {"user_id": user, "limit": limit}
    while True:
        answer = publisher.http.get("/v1/notifications", params=query).json()
        seen += [each["notification_id"] for each in answer["notifications"]]
        if answer["next_cursor"] is None:
            return seen
        query["cursor"] = answer["next_cursor"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "user_id"),
        ("user_id=u&limit=0", "limit"),
        ("user_id=u&limit=101", "limit"),
        ("user_id=u&offset=-1", "offset"),
        ("user_id=u&cursor=x", "cursor"),
    ],
)
def test_a_bad_page_is_a_problem_that_names_the_field(publisher: Publisher, query: str, field: str) -> None:
    response = publisher.http.get(f"/v1/notifications?{query}")
    assert problem_of(response) == (422, "invalid_request", [field])


def test_reading_one_lowers_the_unread_count_and_sends_a_command(publisher: Publisher) -> None:
    user = f"u-{uuid.uuid4().hex}"
    first, _second = publisher.accept(user_id=user), publisher.accept(user_id=user)
    assert unread(publisher, user) == 2
    answers = [publisher.http.post(f"/v1/notifications/{first}/read").json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["read_at"]
    assert unread(publisher, user) == 1
    [command] = publisher.topic.commands(user)
    assert (command.command, command.notification_ids) == ("read", [first])


def test_bulk_read_marks_ids_or_all_but_never_another_persons(publisher: Publisher) -> None:
    user, other = f"u-{uuid.uuid4().hex}", f"u-{uuid.uuid4().hex}"
    mine = [publisher.accept(user_id=user) for _ in range(3)]
    theirs = publisher.accept(user_id=other)
    body: dict[str, Any] = {"user_id": user, "notification_ids": [mine[0], theirs]}
    assert publisher.http.post("/v1/notifications/bulk/read", json=body).json()["marked"] == 1
    assert (unread(publisher, user), unread(publisher, other)) == (2, 1)
    body = {"user_id": user, "all": True}
    assert publisher.http.post("/v1/notifications/bulk/read", json=body).json()["marked"] == 2
    assert unread(publisher, user) == 0
    one, everything = publisher.topic.commands(user, 2)
    assert (one.command, one.notification_ids) == ("read", [mine[0]])
    # Nothing delivers here, so the rest is still on its way to the live inbox, and is named.
    assert (everything.command, set(everything.notification_ids)) == ("read_all", set(mine[1:]))
    refused = publisher.http.post("/v1/notifications/bulk/read", json={"user_id": user})
    assert problem_of(refused) == (422, "invalid_request", ["body"])


def test_many_unread_are_counted_to_a_thousand_and_marked_in_steps(publisher: Publisher) -> None:
    user = f"u-{uuid.uuid4().hex}"
    for size in (1000, 1000, 5):
        batch = {"notifications": [notification(user_id=user)] * size}
        publisher.http.post("/v1/notifications/batch", json=batch).raise_for_status()
    count = publisher.http.get("/v1/notifications/unread_count", params={"user_id": user}).json()
    assert count == {"user_id": user, "unread": 1000, "more": True}
    marked = publisher.http.post("/v1/notifications/bulk/read", json={"user_id": user, "all": True}).json()
    assert marked == {"user_id": user, "marked": 2005}
    count = publisher.http.get("/v1/notifications/unread_count", params={"user_id": user}).json()
    assert count == {"user_id": user, "unread": 0, "more": False}
    commands = publisher.topic.commands(user, 3)  # in any order
    assert sorted(len(command.notification_ids) for command in commands) == [5, 1000, 1000]


def test_read_all_leaves_scheduled_notifications_unread(publisher: Publisher) -> None:
    user = f"u-{uuid.uuid4().hex}"
    publisher.accept(user_id=user, deliver_at=LATER)
    assert publisher.http.post("/v1/notifications/bulk/read", json={"user_id": user, "all": True}).json()["marked"] == 0


def test_published_commands_leave_the_outbox(publisher: Publisher) -> None:
    user = f"u-{uuid.uuid4().hex}"
    publisher.http.post(f"/v1/notifications/{publisher.accept(user_id=user)}/read")
    publisher.topic.commands(user)
    waiting_for(
        lambda: not publisher.sql("select 1 from commands where body->>'user_id' = %s", user), "an empty outbox"
    )


def unread(publisher: Publisher, user: str) -> int:
    count: int = publisher.http.get("/v1/notifications/unread_count", params={"user_id": user}).json()["unread"]
    return count


def test_what_does_not_exist_is_a_404(publisher: Publisher) -> None:
    for path in (
        "/v1/notifications/00000000-0000-7000-8000-000000000000",
        "/v1/users/unknown-here",
        "/v1/templates/none",
        "/v1/notifications/no-uuid",
        "/docs/none",
        "/x",
    ):
        response = publisher.http.get(path)
        assert problem_of(response) == (404, "not_found", []), path


def test_a_notification_that_is_read_before_it_is_due_arrives_read(publisher: Publisher) -> None:
    user = f"u-{uuid.uuid4().hex}"
    soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    notification_id = publisher.accept(user_id=user, deliver_at=soon)
    read_at = publisher.http.post(f"/v1/notifications/{notification_id}/read").json()["read_at"]
    [message] = publisher.topic.deliveries(notification_id)
    assert message.read_at == datetime.fromisoformat(read_at)
    assert publisher.topic.commands(user, 0) == [], "there was nothing in the inbox to mark"


def test_health_is_public_and_covers_postgres_and_the_transport(publisher: Publisher) -> None:
    for path in ("/health", "/v1/health"):
        response = publisher.http.get(path, headers={"Authorization": ""})
        assert response.status_code == 200
        health = response.json()
        assert (health["status"], health["postgres"]["status"], health["transport"]["status"]) == ("ok", "ok", "ok")
