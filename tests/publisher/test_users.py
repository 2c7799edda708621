"""Users and their devices through the API."""

import threading
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from publisher_api.users import store
from tests.publisher.running import Publisher

ADA = {
    "email": "ada@example.com",
    "phone": "+447700900123",
    "locale": "en-GB",
    "timezone": "Europe/London",
    "attributes": {"first_name": "Ada", "plan": {"name": "pro", "seats": 3}},
}


def new_user(publisher: Publisher, fields: Mapping[str, Any] = ADA, prefix: str = "u-") -> str:
    user = f"{prefix}{uuid.uuid4().hex}"
    assert publisher.http.put(f"/v1/users/{user}", json=fields).status_code == 200
    return user


def test_a_user_is_stored_with_normalised_addresses(publisher: Publisher) -> None:
    user = f"u-{uuid.uuid4().hex}"
    fields = {"email": "Ada@EXAMPLE.com", "phone": "+44 7700 900123", "locale": "en-GB", "timezone": "Europe/London"}
    assert publisher.http.put(f"/v1/users/{user}", json=fields).status_code == 200
    shown = publisher.http.get(f"/v1/users/{user}").json()
    assert (shown["email"], shown["phone"]) == ("Ada@example.com", "+447700900123")
    assert (shown["locale"], shown["timezone"], shown["devices"]) == ("en-GB", "Europe/London", [])
    publisher.http.put(f"/v1/users/{user}", json={"email": "b@example.com"})
    assert publisher.http.get(f"/v1/users/{user}").json()["phone"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "ada"), ("email", "a b@example.com"), ("phone", "07700 900123"), ("phone", "+1"), ("locale", "!"),
     ("timezone", "Mars/Olympus"), ("colour", "red")],
)  # fmt: skip
def test_a_bad_field_of_a_user_is_named(publisher: Publisher, field: str, value: str) -> None:
    response = publisher.http.put("/v1/users/u1", json={field: value})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, field)


def test_a_device_belongs_to_the_user_who_registered_it_last(publisher: Publisher) -> None:
    first, second, device = (
        f"u-{uuid.uuid4().hex}",
        f"u-{uuid.uuid4().hex}",
        {"token": uuid.uuid4().hex, "platform": "ios"},
    )
    for user in (first, second):
        registered = publisher.http.post(f"/v1/users/{user}/devices", json=device)
        assert (registered.status_code, "token" in registered.json()) == (201, False)
    assert publisher.http.get(f"/v1/users/{first}").json()["devices"] == []
    assert len(publisher.http.get(f"/v1/users/{second}").json()["devices"]) == 1


@pytest.mark.parametrize(("tag", "stored"), [("en_gb", "en-GB"), ("ZH-hans-cn", "zh-Hans-CN"), ("iw", "he")])
def test_a_locale_is_stored_in_its_standard_form(publisher: Publisher, tag: str, stored: str) -> None:
    user = new_user(publisher, {"locale": tag})
    assert publisher.http.get(f"/v1/users/{user}").json()["locale"] == stored


def test_a_patch_changes_what_it_names_and_merges_attributes(publisher: Publisher) -> None:
    user = new_user(publisher)
    changes = {"phone": None, "attributes": {"plan": {"seats": 4, "name": None}, "city": "Turin"}}
    patched = publisher.http.patch(f"/v1/users/{user}", json=changes)
    assert patched.status_code == 200
    assert patched.json() == publisher.http.get(f"/v1/users/{user}").json()
    shown = patched.json()
    assert {name: shown[name] for name in ADA} == ADA | {
        "phone": None,
        "attributes": {"first_name": "Ada", "plan": {"seats": 4}, "city": "Turin"},
    }
    assert publisher.http.patch(f"/v1/users/{user}", json={"attributes": None}).json()["attributes"] == {}


def test_a_patch_that_would_make_the_attributes_too_large_changes_nothing(publisher: Publisher) -> None:
    user = new_user(publisher, {"attributes": {"a": "x" * 10_000}})
    refused = publisher.http.patch(f"/v1/users/{user}", json={"attributes": {"b": "x" * 10_000}})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "attributes")
    assert list(publisher.http.get(f"/v1/users/{user}").json()["attributes"]) == ["a"]


def test_patches_at_the_same_time_are_all_kept(publisher: Publisher) -> None:
    user, together = new_user(publisher), threading.Barrier(8)

    def patch(number: int) -> int:
        together.wait(20)
        return publisher.http.patch(f"/v1/users/{user}", json={"attributes": {f"n{number}": number}}).status_code

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(patch, range(8))) == [200] * 8
    assert {f"n{number}" for number in range(8)} <= set(publisher.http.get(f"/v1/users/{user}").json()["attributes"])


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/devices")])
def test_an_unknown_user_is_a_404_that_says_how_to_create_one(publisher: Publisher, method: str, path: str) -> None:
    response = publisher.http.request(method, f"/v1/users/unknown{path}", json={} if method == "PATCH" else None)
    assert (response.status_code, "PUT /v1/users/unknown" in response.json()["detail"]) == (404, True)


def test_a_deleted_user_has_no_address_and_no_device(publisher: Publisher) -> None:
    user = new_user(publisher)
    publisher.http.post(f"/v1/users/{user}/devices", json={"token": uuid.uuid4().hex, "platform": "web"})
    assert publisher.http.delete(f"/v1/users/{user}").status_code == 204
    assert publisher.http.get(f"/v1/users/{user}").status_code == 404
    assert publisher.sql("select from devices where user_id = %s", user) == []
    found: Any = publisher.read(publisher.accept(user_id=user, channels=["email", "push"]))
    assert [(each["status"], each["reason"]) for each in found["deliveries"]] == [
        ("suppressed", "no_address"),
        ("suppressed", "no_device"),
    ]


def test_a_device_gets_a_new_token_and_keeps_its_id(publisher: Publisher) -> None:
    user, tokens = new_user(publisher), [uuid.uuid4().hex for _ in range(2)]
    devices = f"/v1/users/{user}/devices"
    first = publisher.http.post(devices, json={"token": tokens[0], "platform": "ios"}).json()
    again = publisher.http.post(devices, json={"token": tokens[0], "platform": "ios"}).json()
    other = publisher.http.post(devices, json={"token": tokens[1], "platform": "web"}).json()
    assert (again["device_id"], again["seen_at"] > first["seen_at"]) == (first["device_id"], True)
    refreshed = publisher.http.put(f"{devices}/{first['device_id']}", json={"token": tokens[1], "platform": "ios"})
    assert (refreshed.status_code, refreshed.json()["device_id"]) == (200, first["device_id"])
    assert publisher.http.get(devices).json() == {"devices": [refreshed.json()]}
    assert publisher.sql("select token from devices where user_id = %s", user) == [{"token": tokens[1]}]
    gone = publisher.http.put(f"{devices}/{other['device_id']}", json={"token": tokens[0], "platform": "web"})
    assert gone.status_code == 404


def test_devices_that_take_the_same_token_at_once_leave_one(publisher: Publisher) -> None:
    users = [new_user(publisher) for _ in range(2)]
    for number in range(15):
        paths = []
        for user in users:
            registered = {"token": uuid.uuid4().hex, "platform": "ios"}
            device = publisher.http.post(f"/v1/users/{user}/devices", json=registered).json()
            paths.append(f"/v1/users/{user}/devices/{device['device_id']}")
        body = {"token": f"{users[0]}-{number}", "platform": "ios"}
        with ThreadPoolExecutor(2) as threads:
            taken = {each.status_code for each in threads.map(lambda path: publisher.http.put(path, json=body), paths)}  # noqa: B023 - the threads end here
        assert taken <= {200, 404}
        tokens = publisher.sql("select token from devices where user_id = any(%s)", users)
        assert [row["token"] for row in tokens].count(body["token"]) == 1


def test_a_user_cannot_refresh_the_device_of_another(publisher: Publisher) -> None:
    user, token = new_user(publisher), uuid.uuid4().hex
    registered = publisher.http.post(f"/v1/users/{user}/devices", json={"token": token, "platform": "ios"}).json()
    path = f"/v1/users/{new_user(publisher)}/devices/{registered['device_id']}"
    assert publisher.http.put(path, json={"token": uuid.uuid4().hex, "platform": "ios"}).status_code == 404
    assert publisher.sql("select token from devices where user_id = %s", user) == [{"token": token}]


def test_users_are_listed_in_pages_without_gaps(publisher: Publisher) -> None:
    prefix = f"p{uuid.uuid4().hex[:8]}-"
    users = sorted(new_user(publisher, {}, prefix) for _ in range(5))
    listed: list[str] = []
    after: str | None = prefix
    for _ in range(3):
        page = publisher.http.get("/v1/users", params={"search": prefix, "limit": 2, "after": after}).json()
        listed += [each["user_id"] for each in page["users"]]
        after = page["next"]
    assert (listed, after) == (users, None)


def test_a_search_finds_how_an_id_an_address_or_a_number_begins(publisher: Publisher) -> None:
    name, number = uuid.uuid4().hex[:12], f"+4477009{uuid.uuid4().int % 10**5:05}"
    by_email = new_user(publisher, {"email": f"{name}.Smith@example.com"})
    by_phone = new_user(publisher, {"phone": number})
    by_id = new_user(publisher, {}, prefix=f"100%_{name}\\")

    def found(search: str) -> list[str]:
        page = publisher.http.get("/v1/users", params={"search": search}).json()
        return [each["user_id"] for each in page["users"]]

    assert found(f"{name}.SMITH@") == [by_email]
    assert found(number) == [by_phone]
    assert found(f"100%_{name}\\") == [by_id]
    assert found(f"100_%{name}") == [], "% and _ stand for themselves"
    assert found(name[1:]) == []


def test_a_search_uses_an_index_for_each_of_its_parts(publisher: Publisher) -> None:
    publisher.sql(
        "insert into users (user_id, email) select 'many-' || n, 'many' || n || '@example.com'"
        " from generate_series(1, 20000) as n on conflict do nothing"
    )
    publisher.sql("analyze users")
    with psycopg.connect(publisher.database_url) as connection:
        plan = connection.execute(f"explain select from users where {store.MATCHES}", {"prefix": "ada%"}).fetchall()
    text = str(plan)
    assert all(index in text for index in ("users_by_id_prefix", "users_by_email_prefix", "users_by_phone_prefix"))


def test_a_template_reads_the_attributes_of_the_user(publisher: Publisher) -> None:
    user, template = new_user(publisher), f"t-{uuid.uuid4().hex[:8]}"
    content = {"inapp": {"title": "{{ user.attributes.first_name }} has {{ user.attributes.plan.seats }} seats"}}
    assert publisher.http.put(f"/v1/templates/{template}", json={"content": content}).status_code == 200
    [message] = publisher.topic.deliveries(publisher.accept(user_id=user, template_name=template))
    assert message.content["title"] == "Ada has 3 seats"
    publisher.http.put(f"/v1/users/{user}", json={})
    refused = publisher.http.post(
        "/v1/notifications",
        json={"user_id": user, "event_type": "seats", "channels": ["inapp"], "payload": {}, "template_name": template},
    )
    assert (refused.status_code, "first_name" in refused.text) == (422, True)
