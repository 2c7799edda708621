"""Limits of users and of channels: who gets fewer, and what waits, with its reason."""

import uuid
from datetime import UTC, datetime, timedelta

from publisher_api.settings import Settings
from tests.publisher.limited import (
    HOOK,
    deliveries_of,
    events_of,
    limit,
    send,
)
from tests.publisher.running import LATER, Publisher
from tests.publisher.sweeping import Sweeping, accept_pending
from tests.publisher.topic import waiting_for

MAIL = {"email": "a@example.com"}


def mail_to(publisher: Publisher, user: str, **fields: object) -> str:
    return publisher.accept(user_id=user, channels=["email"], to=MAIL, **fields)


def test_a_user_gets_no_more_than_the_limit_and_the_timeline_says_so(limited: Publisher) -> None:
    limit(limited, "user", 1)
    user = f"user-{uuid.uuid4().hex[:6]}"
    responses = [send(limited, user_id=user, channels=["inapp", "email"], to=MAIL) for _ in "12"]
    assert [response.status_code for response in responses] == [202, 202]
    first, second = (limited.read(response.json()["notification_id"]) for response in responses)
    assert all(each["reason"] != "user_limit" for each in deliveries_of(first))
    assert {each["channel"]: each["reason"] for each in deliveries_of(second)} == {"inapp": None, "email": "user_limit"}
    assert events_of(second, "suppressed") == [{"reason": "user_limit"}]
    counted = limited.http.get("/v1/notifications/unread_count", params={"user_id": user}).json()
    assert counted["unread"] == 2
    assert deliveries_of(limited.read(mail_to(limited, "another")))[0]["reason"] is None


def test_what_is_mandatory_or_urgent_or_suppressed_does_not_count_for_its_user(limited: Publisher) -> None:
    limit(limited, "user", 1)
    assert limited.http.put("/v1/event-types/password-changed", json={"mandatory": True}).status_code == 200
    user = f"user-{uuid.uuid4().hex[:6]}"
    unreachable = limited.read(limited.accept(user_id=user, channels=["email"]))
    mandatory = [limited.read(mail_to(limited, user, event_type="password-changed")) for _ in range(3)]
    mandatory.append(limited.read(mail_to(limited, user, priority=500)))
    [ordinary, beyond] = [limited.read(mail_to(limited, user)) for _ in range(2)]
    assert deliveries_of(unreachable)[0]["reason"] == "no_address"
    assert all(deliveries_of(each)[0]["status"] != "suppressed" for each in [*mandatory, ordinary])
    assert deliveries_of(beyond)[0]["reason"] == "user_limit"


def test_a_channel_sends_what_is_beyond_its_limit_later(limited: Publisher) -> None:
    limit(limited, "channel:webhook", 1, 2)
    now, later = (limited.accept(channels=["webhook"], to=HOOK) for _ in range(2))
    [delivery] = deliveries_of(limited.read(later))
    assert (delivery["status"], delivery["reason"]) == ("pending", "channel_limit")
    waits = datetime.fromisoformat(delivery["deferred_until"]) - datetime.fromisoformat(delivery["due_at"])
    assert timedelta(seconds=1) < waits <= timedelta(seconds=2)
    assert len(limited.topic.deliveries(now)) == 1
    [message] = limited.topic.deliveries(later)
    assert (message.deferrals, message.channel) == (0, "webhook")
    assert datetime.now(UTC) >= datetime.fromisoformat(delivery["deferred_until"])
    waiting_for(lambda: deliveries_of(limited.read(later))[0]["status"] == "queued", "the delivery to be marked")
    [deferred] = events_of(limited.read(later), "deferred")
    assert deferred == {"reason": "channel_limit", "until": delivery["deferred_until"]}


def test_a_delivery_that_waits_for_its_channel_can_be_canceled(limited: Publisher) -> None:
    limit(limited, "channel:webhook", 1, 3600)
    _, later = (limited.accept(channels=["webhook"], to=HOOK) for _ in range(2))
    assert limited.http.post(f"/v1/notifications/{later}/cancel").json() == {"stopped": 1, "gone": 0}


def test_what_would_expire_before_its_turn_is_suppressed(limited: Publisher) -> None:
    limit(limited, "channel:webhook", 1, 3600)
    soon = (datetime.now(UTC) + timedelta(minutes=10)).isoformat()
    limited.accept(channels=["webhook"], to=HOOK)
    found = limited.read(limited.accept(channels=["webhook"], to=HOOK, expires_at=soon))
    assert events_of(found, "suppressed") == [{"reason": "channel_limit"}]


def test_the_rate_in_the_config_of_a_channel_holds_unless_a_limit_is_declared(limited: Publisher) -> None:
    slug = f"webhook-{uuid.uuid4().hex[:6]}"
    declared = {"channel_type": "webhook", "config": {"rate": {"limit": 1, "window_seconds": 3600}}}
    assert limited.http.put(f"/v1/channels/{slug}", json=declared).status_code == 200

    def reasons() -> list[str | None]:
        limited.sql("truncate limit_buckets")
        sent = [limited.accept(channels=[slug], to={slug: "https://hooks.example.com/x"}) for _ in range(2)]
        return [deliveries_of(limited.read(each))[0]["reason"] for each in sent]

    assert reasons() == [None, "channel_limit"]
    limit(limited, f"channel:{slug}", 2)
    assert reasons() == [None, None]


def test_a_scheduled_notification_takes_no_token_of_its_channel_before_it_is_due(limited: Publisher) -> None:
    limit(limited, "channel:webhook", 1, 3600)
    limited.accept(channels=["webhook"], to=HOOK, deliver_at=LATER)
    assert deliveries_of(limited.read(limited.accept(channels=["webhook"], to=HOOK)))[0]["reason"] is None


def test_what_a_producers_limit_refuses_counts_for_no_user(limited: Publisher) -> None:
    limit(limited, "producer", 1)
    limit(limited, "user", 2)
    sent = [send(limited, user_id="bo", channels=["email"], to=MAIL).status_code for _ in range(4)]
    assert sent == [202, 429, 429, 429]
    assert limited.http.delete("/v1/limits/producer").status_code == 204
    found = [deliveries_of(limited.read(mail_to(limited, "bo")))[0]["reason"] for _ in range(2)]
    assert found == [None, "user_limit"]


def test_scheduled_deliveries_take_their_tokens_when_they_are_due(unswept: Settings, sweeping: Sweeping) -> None:
    """Each sweep publishes what the limit allows by then; what would expire before its turn ends."""
    sweeping.sql("""
        insert into limits (scope, declaration) values ('channel:webhook', '{"limit": 1, "window_seconds": 600}')
    """)
    due = datetime.now(UTC) + timedelta(days=1)
    ids = [scheduled(unswept, due) for _ in range(3)]
    short = scheduled(unswept, due, expires_at=(due + timedelta(minutes=5)).isoformat())
    assert sweeping.at(due) == 1
    [sent] = [each for each in ids if sweeping.read(each).deliveries[0].status == "queued"]
    waiting = sorted((each for each in ids if each != sent), key=lambda each: until(sweeping, each))
    assert [round((until(sweeping, each) - due).total_seconds() / 600) for each in waiting] == [1, 2]
    assert [entry.detail for entry in sweeping.read(waiting[0]).timeline if entry.event == "deferred"] == [
        {"until": until(sweeping, waiting[0]), "reason": "channel_limit"}
    ]
    assert (sweeping.read(short).deliveries[0].status, sweeping.read(short).deliveries[0].reason) == (
        "suppressed",
        "channel_limit",
    )
    assert sweeping.at(until(sweeping, waiting[0]) - timedelta(seconds=1)) == 0
    assert sweeping.at(until(sweeping, waiting[0])) == 1
    assert sweeping.at(until(sweeping, waiting[1])) == 1


def scheduled(settings: Settings, due: datetime, **fields: object) -> str:
    return accept_pending(settings, channels=["webhook"], to=HOOK, deliver_at=due.isoformat(), **fields)


def until(sweeping: Sweeping, notification_id: str) -> datetime:
    [delivery] = sweeping.read(notification_id).deliveries
    assert delivery.deferred_until is not None
    return delivery.deferred_until
