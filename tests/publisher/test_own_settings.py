"""What a user changes and reads with a token of their own: preferences, devices and notifications, and only these."""

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from publisher_api.devices.store import MAX_DEVICES
from publisher_api.preferences.model import MAX_TENANTS
from tests.publisher.own_inbox import ORIGIN, OwnInbox
from tests.publisher.running import LATER, Publisher, problem_of


@pytest.fixture
def eve(publisher: Publisher) -> Iterator[OwnInbox]:
    eve = OwnInbox(publisher)
    yield eve
    eve.http.close()


def test_a_user_mutes_a_channel_and_the_next_notification_follows(publisher: Publisher, own: OwnInbox) -> None:
    assert own.http.get("/v1/me/preferences").json() == {"preferences": {}}
    muted = own.http.patch("/v1/me/preferences", json={"channels": {"inapp": False}})
    assert muted.json() == {"preferences": {"channels": {"inapp": False}}}
    explained = own.http.get("/v1/me/preferences/explain", params={"event_type": "news"}).json()
    [inapp] = [each for each in explained["channels"] if each["channel"] == "inapp"]
    assert (explained["user_id"], inapp["wanted"], inapp["decided_by"]) == (own.user_id, False, "user")
    found: Any = publisher.read(publisher.accept(user_id=own.user_id))
    assert found["deliveries"][0]["reason"] == "muted"
    assert own.http.put("/v1/me/preferences", json={}).json() == {"preferences": {}}
    assert publisher.http.get(f"/v1/users/{own.user_id}/preferences").json() == {"preferences": {}}


def test_a_user_decides_within_a_tenant(own: OwnInbox) -> None:
    query = {"tenant": "acme"}
    own.http.put("/v1/me/preferences", params=query, json={"enabled": False})
    assert own.http.get("/v1/me/preferences", params=query).json() == {"preferences": {"enabled": False}}
    assert own.http.get("/v1/me/preferences").json() == {"preferences": {}}


def test_a_user_decides_within_at_most_fifty_tenants_of_those_with_a_choice(
    publisher: Publisher, own: OwnInbox
) -> None:
    def change(method: str, tenant: str, **fields: Any) -> httpx.Response:
        return own.http.request(method, "/v1/me/preferences", params={"tenant": tenant}, json=fields)

    publisher.sql(
        "insert into tenant_preferences select %s, 't' || n, '{\"enabled\": false}' from generate_series(2, %s) n",
        own.user_id,
        MAX_TENANTS,
    )
    assert change("PATCH", "t1", enabled=False).status_code == 200
    for method in ("PUT", "PATCH"):
        refused = change(method, "one-more", enabled=False)
        assert problem_of(refused) == (422, "invalid_request", ["tenant"])
        assert "PUT {}" in refused.json()["detail"]
        assert change(method, "t1", enabled=True).status_code == 200
        assert change(method, "no-choice").json() == {"preferences": {}}
    assert change("PUT", "t2").status_code == 200
    assert change("PUT", "one-more", enabled=False).status_code == 200
    [stored] = publisher.sql("select count(*) from tenant_preferences where user_id = %s", own.user_id)
    assert stored["count"] == MAX_TENANTS


def test_a_user_registers_lists_refreshes_and_deletes_a_device(own: OwnInbox) -> None:
    assert own.http.get("/v1/me/devices").json() == {"devices": []}
    device = {"token": uuid.uuid4().hex, "platform": "web"}
    made = own.http.post("/v1/me/devices", json=device)
    assert made.status_code == 201
    assert device["token"] not in made.text
    path = f"/v1/me/devices/{made.json()['device_id']}"
    assert own.http.put(path, json={"token": uuid.uuid4().hex, "platform": "ios"}).json()["platform"] == "ios"
    assert [each["platform"] for each in own.http.get("/v1/me/devices").json()["devices"]] == ["ios"]
    assert own.http.delete(path).status_code == 204
    gone = own.http.delete(path)
    assert problem_of(gone) == (404, "not_found", [])
    assert gone.json()["detail"].endswith("not found. GET /v1/me/devices lists the devices.")


def test_another_users_device_and_notification_are_404s(publisher: Publisher, own: OwnInbox, eve: OwnInbox) -> None:
    made = own.http.post("/v1/me/devices", json={"token": uuid.uuid4().hex, "platform": "web"}).json()
    notification_id = publisher.accept(user_id=own.user_id)
    device = {"token": uuid.uuid4().hex, "platform": "ios"}
    for response in (
        eve.http.put(f"/v1/me/devices/{made['device_id']}", json=device),
        eve.http.delete(f"/v1/me/devices/{made['device_id']}"),
        eve.http.get(f"/v1/me/notifications/{notification_id}"),
    ):
        assert problem_of(response) == (404, "not_found", [])
    assert eve.http.get("/v1/me/notifications").json() == {"notifications": [], "next": None}
    assert len(own.http.get("/v1/me/devices").json()["devices"]) == 1


def test_a_user_sees_where_a_notification_went_and_not_what_the_producer_keeps(
    publisher: Publisher, own: OwnInbox
) -> None:
    notification_id = publisher.accept(
        user_id=own.user_id,
        payload={"internal": "s3cret"},
        channels=["inapp", "email"],
        to={"email": "ada@example.com"},
        dedup_key=f"s3cret-{own.user_id}",
    )
    response = own.http.get(f"/v1/me/notifications/{notification_id}")
    found = response.json()
    assert {each["channel"] for each in found["deliveries"]} == {"inapp", "email"}
    assert set(found) == {
        "notification_id", "status", "event_type", "tenant", "actor_user_id", "created_at", "seen_at", "read_at",
        "archived_at", "deliveries",
    }  # fmt: skip
    assert "s3cret" not in response.text
    assert "ada@example.com" not in response.text


def test_a_users_notifications_are_paged_and_lack_what_is_to_come(publisher: Publisher, own: OwnInbox) -> None:
    sent = [publisher.accept(user_id=own.user_id) for _ in range(3)][::-1]
    later = publisher.accept(user_id=own.user_id, deliver_at=LATER)
    first = own.http.get("/v1/me/notifications", params={"limit": 2}).json()
    second = own.http.get("/v1/me/notifications", params={"limit": 2, "before": first["next"]}).json()
    assert [each["notification_id"] for each in first["notifications"] + second["notifications"]] == sent
    assert second["next"] is None
    assert own.http.get(f"/v1/me/notifications/{later}").status_code == 404


def test_a_users_notifications_of_one_tenant(publisher: Publisher, own: OwnInbox) -> None:
    of_acme, _ = (publisher.accept(user_id=own.user_id, **tenant) for tenant in ({"tenant": "acme"}, {}))
    found = own.http.get("/v1/me/notifications", params={"tenant": "acme"}).json()
    assert [(each["notification_id"], each["tenant"]) for each in found["notifications"]] == [(of_acme, "acme")]
    assert own.http.get("/v1/me/notifications", params={"tenant": "umbrella"}).json()["notifications"] == []


def test_web_pages_of_listed_origins_may_change_a_users_settings(publisher: Publisher, own: OwnInbox) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "PATCH"}
    preflight = httpx.options(f"{publisher.url}/v1/me/preferences", headers=asked)
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert {"PATCH", "PUT", "DELETE"} <= set(preflight.headers["access-control-allow-methods"].split(", "))
    changed = own.http.patch("/v1/me/preferences", json={"enabled": True}, headers={"Origin": ORIGIN})
    assert (changed.status_code, changed.headers["access-control-allow-origin"]) == (200, ORIGIN)
    refused = own.http.patch("/v1/me/preferences", json={}, headers={"Origin": "https://evil.example"})
    assert problem_of(refused) == (403, "origin_refused", [])


def test_a_user_keeps_the_devices_that_were_seen_last(own: OwnInbox) -> None:
    ids = [
        own.http.post("/v1/me/devices", json={"token": uuid.uuid4().hex, "platform": "web"}).json()["device_id"]
        for _ in range(MAX_DEVICES + 2)
    ]
    kept = [each["device_id"] for each in own.http.get("/v1/me/devices").json()["devices"]]
    assert kept == ids[:1:-1]
