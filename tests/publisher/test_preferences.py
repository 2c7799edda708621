"""Preferences through the API: what is muted, why, and which channels are used without being named."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.publisher.running import Publisher, notification


def new_user() -> str:
    return f"u-{uuid.uuid4().hex}"


def prefer(publisher: Publisher, user: str, **preferences: Any) -> None:
    assert publisher.http.put(f"/v1/users/{user}/preferences", json=preferences).status_code == 200


def declare(publisher: Publisher, **fields: Any) -> str:
    name = f"type-{uuid.uuid4().hex[:8]}"
    assert publisher.http.put(f"/v1/event-types/{name}", json=fields).status_code == 200
    return name


def explained(publisher: Publisher, user: str, event_type: str) -> dict[str, Any]:
    response = publisher.http.get(f"/v1/users/{user}/preferences/explain", params={"event_type": event_type})
    assert response.status_code == 200, response.text
    return {each["channel"]: each for each in response.json()["channels"]}


def test_a_muted_channel_is_suppressed_and_the_explanation_names_the_line(publisher: Publisher) -> None:
    user, event_type = new_user(), declare(publisher, category="billing")
    prefer(publisher, user, categories={"billing": {"channel_types": {"email": False}}})
    to = {"email": "ada@example.com"}
    found: Any = publisher.read(
        publisher.accept(user_id=user, event_type=event_type, channels=["email", "inapp"], to=to)
    )
    ends = {each["channel"]: (each["status"], each["reason"]) for each in found["deliveries"]}
    assert ends["email"] == ("suppressed", "muted")
    assert ends["inapp"][1] is None
    assert [entry["detail"]["reason"] for entry in found["timeline"] if entry["event"] == "suppressed"] == ["muted"]
    why = explained(publisher, user, event_type)
    assert why["email"] == {
        "channel": "email",
        "channel_type": "email",
        "wanted": False,
        "decided_by": "user",
        "line": "categories.billing.channel_types.email",
        "quiet_until": None,
    }
    assert (why["inapp"]["wanted"], why["inapp"]["decided_by"], why["inapp"]["line"]) == (True, None, None)


def test_the_explanation_says_until_when_a_channel_is_quiet(publisher: Publisher) -> None:
    user, event_type = new_user(), declare(publisher)
    now = datetime.now(UTC)
    hours = {"start": f"{now:%H}:00", "end": f"{now + timedelta(hours=3):%H}:00"}
    prefer(publisher, user, quiet_hours={"windows": [hours], "timezone": "UTC"})
    why = explained(publisher, user, event_type)
    until = datetime.fromisoformat(why["email"]["quiet_until"])
    assert (until.strftime("%H:%M"), until - now < timedelta(hours=3)) == (hours["end"], True)
    assert why["inapp"]["quiet_until"] is None, "the inbox does not disturb"
    prefer(publisher, user, quiet_hours={"windows": [hours]})
    publisher.http.put(f"/v1/users/{user}", json={"timezone": "Asia/Tokyo"}).raise_for_status()
    assert explained(publisher, user, event_type)["email"]["quiet_until"] is None


def test_a_mandatory_event_type_is_sent_although_everything_is_muted(publisher: Publisher) -> None:
    user, event_type = new_user(), declare(publisher, mandatory=True)
    prefer(publisher, user, enabled=False)
    [message] = publisher.topic.deliveries(publisher.accept(user_id=user, event_type=event_type))
    assert message.channel == "inapp"
    assert explained(publisher, user, event_type)["inapp"]["decided_by"] == "mandatory"
    found: Any = publisher.read(publisher.accept(user_id=user, event_type="other"))
    assert found["deliveries"][0]["reason"] == "muted"


def test_the_environment_decides_where_the_user_made_no_choice(publisher: Publisher) -> None:
    muted, user = declare(publisher), new_user()
    before = publisher.http.get("/v1/preferences").json()["preferences"]
    try:
        defaults = {"event_types": {muted: {"enabled": False}}}
        assert publisher.http.put("/v1/preferences", json=defaults).json() == {"preferences": defaults}
        assert publisher.http.get("/v1/preferences").json() == {"preferences": defaults}
        found: Any = publisher.read(publisher.accept(user_id=user, event_type=muted))
        assert found["deliveries"][0]["reason"] == "muted"
        assert explained(publisher, user, muted)["inapp"]["decided_by"] == "environment"
        prefer(publisher, user, channels={"inapp": True})
        assert publisher.topic.deliveries(publisher.accept(user_id=user, event_type=muted))
    finally:
        publisher.http.put("/v1/preferences", json=before)


def test_a_request_without_channels_uses_those_that_the_user_chose(publisher: Publisher) -> None:
    user, event_type = new_user(), declare(publisher)
    prefer(
        publisher,
        user,
        channel_types={"sms": True, "push": False},
        event_types={event_type: {"channels": {"inapp": True}}},
    )
    body = {"user_id": user, "event_type": event_type, "payload": {}}
    sent = publisher.http.post("/v1/notifications", json=body)
    assert sent.status_code == 202, sent.text
    found: Any = publisher.read(sent.json()["notification_id"])
    assert found["channels"] == ["inapp", "sms"]


def test_a_patch_changes_a_choice_and_null_takes_it_back(publisher: Publisher) -> None:
    user = new_user()
    path = f"/v1/users/{user}/preferences"
    assert publisher.http.get(path).json() == {"preferences": {}}
    prefer(publisher, user, enabled=False, channels={"email": True, "sms": True})
    changed = publisher.http.patch(path, json={"enabled": None, "channels": {"sms": None, "push": False}})
    assert changed.json() == {"preferences": {"channels": {"email": True, "push": False}}}
    assert publisher.http.get(path).json() == changed.json()


def test_what_a_user_wants_within_a_tenant_comes_before_what_they_want_elsewhere(publisher: Publisher) -> None:
    user, event_type = new_user(), declare(publisher)
    prefer(publisher, user, channel_types={"inapp": False})
    path, within = f"/v1/users/{user}/preferences", {"tenant": "acme"}
    choice = {"channel_types": {"inapp": True}}
    assert publisher.http.put(path, json=choice, params=within).json() == {"preferences": choice}
    assert publisher.http.get(path, params=within).json() == {"preferences": choice}
    assert publisher.http.get(path, params={"tenant": "other"}).json() == {"preferences": {}}

    items = [notification(user_id=user, event_type=event_type, tenant=tenant) for tenant in ("acme", "other", None)]
    results = publisher.http.post("/v1/notifications/batch", json={"notifications": items}).json()["results"]
    found: list[Any] = [publisher.read(result["notification_id"]) for result in results]
    assert [(each["tenant"], each["deliveries"][0]["reason"]) for each in found] == [
        ("acme", None),
        ("other", "muted"),
        (None, "muted"),
    ]
    asked = {"event_type": event_type, "tenant": "acme"}
    why = publisher.http.get(f"{path}/explain", params=asked).json()["channels"]
    assert next(each for each in why if each["channel"] == "inapp") == {
        "channel": "inapp",
        "channel_type": "inapp",
        "wanted": True,
        "decided_by": "tenant",
        "quiet_until": None,
        "line": "channel_types.inapp",
    }

    listed = publisher.http.get("/v1/notifications", params={"user_id": user, "tenant": "acme"}).json()
    assert [each["notification_id"] for each in listed["notifications"]] == [results[0]["notification_id"]]


def test_preferences_are_read_for_every_item_of_a_batch(publisher: Publisher) -> None:
    muted, free = new_user(), new_user()
    prefer(publisher, muted, enabled=False)
    items = [notification(user_id=user) for user in (muted, free, muted)]
    results = publisher.http.post("/v1/notifications/batch", json={"notifications": items}).json()["results"]
    reasons = []
    for result in results:
        found: Any = publisher.read(result["notification_id"])
        reasons.append(found["deliveries"][0]["reason"])
    assert reasons == ["muted", None, "muted"]


@pytest.mark.parametrize(
    ("preferences", "field"),
    [
        ({"channels": {"email": "no"}}, "channels.email"),
        ({"colour": True}, "colour"),
        ({"categories": {"a": {"categories": {}}}}, "categories.a.categories"),
        ({"event_types": {f"e{number}": {"enabled": True} for number in range(201)}}, "event_types"),
    ],
)
def test_a_bad_preference_is_named(publisher: Publisher, preferences: dict[str, Any], field: str) -> None:
    response = publisher.http.put(f"/v1/users/{new_user()}/preferences", json=preferences)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, field)


def test_what_is_due_in_quiet_hours_waits_says_so_and_is_published_when_they_are_over(publisher: Publisher) -> None:
    user, now = new_user(), datetime.now(UTC)
    publisher.http.put(f"/v1/users/{user}", json={"email": "ada@example.com", "timezone": "Asia/Kolkata"})
    local = now.astimezone(ZoneInfo("Asia/Kolkata"))
    start, end = ((local + timedelta(hours=hours)).strftime("%H:%M") for hours in (-1, 2))
    prefer(publisher, user, quiet_hours={"windows": [{"start": start, "end": end}]})
    assert publisher.http.get(f"/v1/users/{user}/preferences").json() == {
        "preferences": {"quiet_hours": {"windows": [{"start": start, "end": end}]}}
    }

    held = publisher.accept(user_id=user, channels=["email", "inapp"])
    found: Any = publisher.read(held)
    deliveries = {each["channel"]: each for each in found["deliveries"]}
    assert (deliveries["email"]["status"], deliveries["email"]["held_by"]) == ("pending", "quiet_hours")
    due_at = datetime.fromisoformat(deliveries["email"]["due_at"])
    assert timedelta(hours=1, minutes=58) < due_at - now < timedelta(hours=2, minutes=6)
    planned = next(each for each in found["timeline"] if each["event"] == "planned" and each["channel"] == "email")
    assert planned["detail"]["reason"] == "quiet_hours"
    assert [message.channel for message in publisher.topic.deliveries(held)] == ["inapp"]

    statement = "update deliveries set due_at = now(), sweep_at = now() where notification_id = %s and kind = 'email'"
    publisher.sql(statement, held)
    messages = publisher.topic.deliveries(held, count=2)
    assert {each.channel: each.recipient for each in messages}["email"] == "ada@example.com"


def test_what_waits_for_the_end_of_quiet_hours_can_be_canceled(publisher: Publisher) -> None:
    user = new_user()
    clock = datetime.now(UTC)
    start, end = ((clock + timedelta(hours=hours)).strftime("%H:%M") for hours in (-1, 2))
    prefer(publisher, user, quiet_hours={"windows": [{"start": start, "end": end}], "timezone": "UTC"})
    held = publisher.accept(user_id=user, channels=["email"], to={"email": "ada@example.com"})
    assert publisher.http.post(f"/v1/notifications/{held}/cancel").json() == {"stopped": 1, "gone": 0}


@pytest.mark.parametrize(
    ("quiet_hours", "field"),
    [
        ({"windows": [{"start": "25:00", "end": "07:00"}]}, "quiet_hours.windows.0.start"),
        ({"windows": [{"start": "22:00"}]}, "quiet_hours.windows.0.end"),
        ({"windows": [{"start": "22:00", "end": "07:00", "days": ["Montag"]}]}, "quiet_hours.windows.0.days.0"),
        ({"windows": [], "timezone": "Mars/Olympus"}, "quiet_hours.timezone"),
        ({"windows": [{"start": "07:00", "end": "07:00"}]}, "quiet_hours"),
    ],
)
def test_bad_quiet_hours_are_named(publisher: Publisher, quiet_hours: dict[str, Any], field: str) -> None:
    response = publisher.http.put(f"/v1/users/{new_user()}/preferences", json={"quiet_hours": quiet_hours})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, field)
