"""An export has everything that is stored of a user, and is never in memory as a whole."""

import json
import tracemalloc
from typing import Any

import pytest

from publisher_api.export.model import UserExport
from publisher_api.export.service import export
from publisher_api.export.store import BYTES_OF_A_PAGE
from tests.publisher.erasing import new_name
from tests.publisher.running import Publisher
from tests.publisher.sweeping import Sweeping

MANY = 10_000
ADD = """
    with added as (
        insert into notifications (notification_id, producer, user_id, event_type, channels, payload, priority,
                                   created_at, accepted_at)
        select gen_random_uuid(), 'tests', 'ada', 'payment', '{email}',
               jsonb_build_object('text', repeat('x', %(size)s)), 1, now() - number * interval '1 s', now()
          from generate_series(1, %(count)s) as number
        returning notification_id
    )
    insert into deliveries (delivery_id, notification_id, kind, slug, status, due_at, expires_at, sweep_at, updated_at)
    select gen_random_uuid(), notification_id, 'email', 'email', 'sent', now(), now(), now(), now() from added
"""


def add(sweeping: Sweeping, count: int, size: int = 1000) -> None:
    """Add so many notifications, with a payload of so many bytes each."""
    with sweeping.pool.connection() as connection:
        connection.execute(ADD, {"count": count, "size": size})


def exported(publisher: Publisher, user_id: str) -> dict[str, Any]:
    response = publisher.http.get(f"/v1/users/{user_id}/export")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    found: dict[str, Any] = response.json()
    UserExport.model_validate(found)
    return found


@pytest.fixture
def user(publisher: Publisher) -> str:
    user = new_name()
    profile = {"email": f"{user}@example.com", "phone": "+447700900123", "attributes": {"first_name": "Ada"}}
    publisher.http.put(f"/v1/users/{user}", json=profile).raise_for_status()
    publisher.http.post(f"/v1/users/{user}/devices", json={"token": f"t-{user}", "platform": "ios"}).raise_for_status()
    publisher.http.put(f"/v1/users/{user}/preferences", json={"channel_types": {"sms": False}}).raise_for_status()
    return user


def test_an_export_has_everything_and_redacts_nothing(publisher: Publisher, user: str) -> None:
    content = {"email": {"subject": "Paid", "text": "You paid 10."}}
    notification_id = publisher.accept(user_id=user, channels=["email", "inapp"], content=content, payload={"a": "é\n"})
    delivery = next(each for each in publisher.topic.deliveries(notification_id, 2) if each.channel == "email")
    publisher.report(delivery.delivery_id, "sent", provider="sendgrid", provider_message_id="m1")
    publisher.http.post(f"/v1/notifications/{notification_id}/read").raise_for_status()
    found = exported(publisher, user)
    assert found["user"]["email"] == f"{user}@example.com"
    assert [device["token"] for device in found["devices"]] == [f"t-{user}"]
    assert found["preferences"] == {"channel_types": {"sms": False}}
    [notification] = found["notifications"]
    assert notification["payload"] == {"a": "é\n"}
    assert notification["read_at"] is not None
    [email] = [each for each in notification["deliveries"] if each["channel"] == "email"]
    assert (email["recipient"], email["content"]["subject"]) == (f"{user}@example.com", "Paid")
    assert [(event["result"], event["provider_message_id"]) for event in email["events"]] == [("sent", "m1")]


def test_an_export_has_every_column_of_what_belongs_to_a_user(publisher: Publisher, user: str) -> None:
    notification_id = publisher.accept(user_id=user, channels=["email"])
    [delivery] = publisher.topic.deliveries(notification_id)
    publisher.report(delivery.delivery_id, "sent")
    found = exported(publisher, user)
    [notification] = found["notifications"]
    [delivery_found] = notification["deliveries"]
    of_the_outbox = {"user_id", "traceparent", "sweep_at", "unreported", "event_id"}
    for table, row in (
        ("users", found["user"]),
        ("devices", found["devices"][0]),
        ("notifications", notification),
        ("deliveries", delivery_found | {"kind": 1, "slug": 1, "notification_id": 1}),
        ("delivery_events", delivery_found["events"][0] | {"delivery_id": 1}),
    ):
        columns = publisher.sql(
            "select column_name as name from information_schema.columns"
            " where table_schema = 'public' and table_name = %s",
            table,
        )
        assert {column["name"] for column in columns} - set(row) <= of_the_outbox, table


def test_an_export_has_the_preferences_within_a_tenant(publisher: Publisher, user: str) -> None:
    within = {"enabled": False}
    publisher.http.put(f"/v1/users/{user}/preferences", params={"tenant": "acme"}, json=within).raise_for_status()
    found = exported(publisher, user)
    assert (found["preferences"], found["tenant_preferences"]) == ({"channel_types": {"sms": False}}, {"acme": within})


def test_an_export_of_an_unknown_user_is_empty(publisher: Publisher) -> None:
    found = exported(publisher, new_name())
    assert (found["user"], found["devices"], found["preferences"], found["notifications"]) == (None, [], {}, [])


def test_an_export_has_every_notification_once_and_the_newest_first(publisher: Publisher, user: str) -> None:
    items = [{"user_id": user, "event_type": "payment", "channels": ["inapp"], "payload": {"n": n}} for n in range(250)]
    publisher.http.post("/v1/notifications/batch", json={"notifications": items}).raise_for_status()
    found = [(each["created_at"], each["notification_id"]) for each in exported(publisher, user)["notifications"]]
    assert len(set(found)) == 250
    assert found == sorted(found, reverse=True)


def test_an_export_of_ten_thousand_notifications_needs_the_memory_of_a_page(sweeping: Sweeping) -> None:
    add(sweeping, MANY)
    tracemalloc.start()
    try:
        size = notifications = 0
        for part in export(sweeping.pool, "ada"):
            size += len(part)
            notifications += part.count('"notification_id"')
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert notifications == MANY
    assert size > 10_000_000
    assert peak < 2_000_000


def test_the_parts_are_one_json_document(sweeping: Sweeping) -> None:
    add(sweeping, 101)
    assert len(json.loads("".join(export(sweeping.pool, "ada")))["notifications"]) == 101


def test_a_part_of_large_notifications_has_few_of_them(sweeping: Sweeping) -> None:
    add(sweeping, 11, 1_000_000)
    parts = list(export(sweeping.pool, "ada"))
    assert [part.count('"notification_id"') for part in parts] == [0, 4, 4, 3, 0]
    assert max(map(len, parts)) < BYTES_OF_A_PAGE + 1_000_000
