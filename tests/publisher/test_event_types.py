"""Event types through the API, and what they change for requests."""

import uuid
from typing import Any

import httpx
import pytest

from tests.publisher.running import Publisher, create_api_key, notification, problem_of
from tests.publisher.topic import waiting_for


def new_name() -> str:
    return f"type-{uuid.uuid4().hex[:8]}"


def declare(publisher: Publisher, name: str, **fields: Any) -> dict[str, Any]:
    response = publisher.http.put(f"/v1/event-types/{name}", json=fields)
    assert response.status_code == 200, response.text
    declared: dict[str, Any] = response.json()
    return declared


def test_a_request_may_leave_out_what_its_event_type_says(publisher: Publisher) -> None:
    name, template = new_name(), f"t-{uuid.uuid4().hex[:8]}"
    content = {"inapp": {"title": "Paid {{ amount }}"}, "email": {"subject": "Paid", "text": "Paid {{ amount }}"}}
    publisher.http.put(f"/v1/templates/{template}", json={"content": content})
    declare(publisher, name, channels=["inapp"], template_name=template, time_to_live_seconds=60)
    sent = publisher.http.post(
        "/v1/notifications", json={"user_id": "ada", "event_type": name, "payload": {"amount": 10}}
    )
    assert sent.status_code == 202, sent.text
    [message] = publisher.topic.deliveries(sent.json()["notification_id"])
    assert (message.channel, message.content["title"]) == ("inapp", "Paid 10")
    found: Any = publisher.read(sent.json()["notification_id"])
    assert (found["channels"], found["template_name"]) == (["inapp"], template)


def test_an_undeclared_event_type_needs_channels(publisher: Publisher) -> None:
    name = new_name()
    refused = publisher.http.post("/v1/notifications", json={"user_id": "ada", "event_type": name, "payload": {}})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "channels")
    assert f"PUT /v1/event-types/{name}" in refused.json()["detail"]
    assert publisher.accept(event_type=name)


def test_an_empty_list_of_channels_is_refused_and_not_filled(publisher: Publisher) -> None:
    name = new_name()
    declare(publisher, name, channels=["inapp"])
    refused = publisher.http.post("/v1/notifications", json=notification(event_type=name, channels=[]))
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "channels")


def test_each_change_is_a_version_and_the_same_declaration_is_none(publisher: Publisher) -> None:
    name = new_name()
    first = declare(publisher, name, channels=["inapp"])
    assert declare(publisher, name, channels=["inapp"]) == first
    second = declare(publisher, name, channels=["email"])
    assert (first["version"], second["version"]) == (1, 2)
    assert publisher.http.get(f"/v1/event-types/{name}").json() == second
    assert publisher.http.get(f"/v1/event-types/{name}/versions").json() == {
        "event_types": [second, first],
        "next": None,
    }


def test_event_types_and_versions_are_listed_page_by_page(publisher: Publisher) -> None:
    name = new_name()
    for category in ("a", "b", "c"):
        declare(publisher, name, category=category)
        declare(publisher, f"{name}-{category}")
    versions = publisher.http.get(f"/v1/event-types/{name}/versions", params={"limit": 2}).json()
    rest = publisher.http.get(f"/v1/event-types/{name}/versions", params={"before": versions["next"]}).json()
    assert [[each["version"] for each in page["event_types"]] for page in (versions, rest)] == [[3, 2], [1]]
    page = publisher.http.get("/v1/event-types", params={"limit": 2, "after": name}).json()
    following = publisher.http.get("/v1/event-types", params={"limit": 1, "after": page["next"]}).json()
    listed = [each["event_type"] for each in page["event_types"] + following["event_types"]]
    assert listed == [f"{name}-{category}" for category in "abc"]


def test_a_declaration_after_a_deletion_continues_the_versions(publisher: Publisher) -> None:
    name = new_name()
    declare(publisher, name, channels=["inapp"])
    path = f"/v1/event-types/{name}"
    assert publisher.http.delete(path).status_code == 204
    asked = [publisher.http.get(path), publisher.http.get(f"{path}/versions"), publisher.http.delete(path)]
    assert [each.status_code for each in asked] == [404, 404, 404]
    assert name not in str(publisher.http.get("/v1/event-types").json())
    assert declare(publisher, name, channels=["inapp"])["version"] == 2
    assert [each["version"] for each in publisher.http.get(f"{path}/versions").json()["event_types"]] == [2, 1]
    assert name in str(publisher.http.get("/v1/event-types").json())


def test_only_an_administrator_changes_how_long_notifications_are_kept(publisher: Publisher) -> None:
    name, of_billing = new_name(), {"category": "billing", "retention_days": 30}
    path = f"/v1/event-types/{name}"
    key = create_api_key(publisher.database_url, "configurer", "configure")
    with httpx.Client(base_url=publisher.url, headers={"Authorization": f"Bearer {key}"}, timeout=20) as configurer:
        waiting_for(lambda: configurer.get("/v1/event-types").status_code == 200, "the key")
        refused = [configurer.put(path, json=of_billing)]
        declare(publisher, name, **of_billing)
        assert configurer.put(path, json={**of_billing, "channels": ["inapp"]}).status_code == 200
        refused += [
            configurer.put(path, json={**of_billing, "retention_days": 29}),
            configurer.put(path, json={"category": "billing"}),
            configurer.delete(path),
        ]
    for each in refused:
        assert problem_of(each) == (403, "insufficient_scope", [])
        assert each.json()["scope"] == "admin"
        assert f"how long notifications of {name!r} are kept" in each.json()["detail"]
    assert publisher.http.get(path).json()["retention_days"] == 30
    assert publisher.http.delete(path).status_code == 204


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"channels": ["carrier-pigeon"]}, "channels.0"),
        ({"channels": ["inapp", "inapp"]}, "channels"),
        ({"template_name": "none-of-ours"}, "template_name"),
        ({"time_to_live_seconds": 0}, "time_to_live_seconds"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_declaration_that_could_not_work_is_refused_by_field(
    publisher: Publisher, fields: dict[str, Any], field: str
) -> None:
    response = publisher.http.put(f"/v1/event-types/{new_name()}", json=fields)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, field)
