"""The audit log: every administrative change, in the transaction of the change, without secrets."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from tests.publisher.running import Publisher, problem_of
from tests.publisher.topic import waiting_for


def entries(publisher: Publisher, **query: str) -> list[dict[str, Any]]:
    response = publisher.http.get("/v1/audit-log", params={"limit": "100", **query})
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["entries"]
    return found


def actions(publisher: Publisher, changed: str) -> list[str]:
    """What was done to an object, the first action first."""
    return [each["action"] for each in entries(publisher, object=changed)][::-1]


def test_each_administrative_change_is_written_with_who_made_it(publisher: Publisher) -> None:
    name = f"a-{uuid.uuid4().hex[:8]}"
    http = publisher.http
    http.put(f"/v1/channels/{name}", json={"channel_type": "inapp"})
    http.put(f"/v1/channels/{name}", json={"channel_type": "inapp", "enabled": False})
    http.put(f"/v1/templates/{name}", json={"content": {"inapp": {"title": "x"}}})
    http.put(f"/v1/event-types/{name}", json={"category": "billing"})
    http.delete(f"/v1/event-types/{name}")
    http.put(f"/v1/users/{name}", json={"email": "ada@example.com"})
    http.delete(f"/v1/users/{name}")
    assert actions(publisher, f"channels/{name}") == ["channel.put", "channel.put"]
    assert actions(publisher, f"templates/{name}") == ["template.put"]
    assert actions(publisher, f"event-types/{name}") == ["event_type.put", "event_type.delete"]
    [deletion] = entries(publisher, object=f"users/{name}")
    assert (deletion["action"], deletion["principal"], deletion["credential"]) == (
        "user.delete", "tests", publisher.api_key[:11],
    )  # fmt: skip
    assert deletion["changes"] == {}
    [switched, made] = entries(publisher, object=f"channels/{name}", action="channel.put")
    assert switched["changes"] == {"enabled": {"before": "true", "after": "false"}}
    assert made["changes"]["channel_type"] == {"before": None, "after": '"inapp"'}


def test_the_defaults_and_keys_are_in_the_log_and_no_secret_is(publisher: Publisher) -> None:
    before = publisher.http.get("/v1/preferences").json()["preferences"]
    publisher.http.put("/v1/preferences", json={**before, "channels": {"nowhere": False}})
    publisher.http.put("/v1/preferences", json=before)
    assert actions(publisher, "preferences")[-2:] == ["preferences.put", "preferences.put"]
    key = publisher.http.post("/v1/api-keys", json={"producer": "logged", "scopes": ["send"]}).json()
    path = f"/v1/api-keys/{key['key_id']}"
    new = publisher.http.post(f"{path}/rotate", json={"overlap_seconds": 60}).json()
    publisher.http.delete(path)
    changed = f"api-keys/{key['key_id']}"
    assert actions(publisher, changed) == ["api_key.create", "api_key.rotate", "api_key.revoke"]
    [log] = publisher.sql("select string_agg(a::text, '') as text from audit_log a")
    assert key["key"] not in log["text"]
    assert new["key"] not in log["text"]
    assert entries(publisher, object=changed)[-1]["changes"]["scopes"]["after"] == '["send"]'


def test_a_credential_that_an_older_release_stored_is_not_logged(publisher: Publisher) -> None:
    name = f"webhook-{uuid.uuid4().hex[:6]}"
    config = '{"url": "https://hooks.slack.com/services/s3cret"}'
    publisher.sql("insert into channels (slug, kind, config) values (%s, 'webhook', %s)", name, config)
    publisher.http.put(f"/v1/channels/{name}", json={"channel_type": "webhook", "config": {}})
    [entry] = entries(publisher, object=f"channels/{name}")
    assert entry["changes"]["config.url"] == {"before": '"https://hooks.slack.com/***"', "after": None}


@pytest.mark.parametrize("path", ["channels", "templates", "event-types"])
def test_a_change_that_changes_nothing_and_a_refused_one_are_not_logged(publisher: Publisher, path: str) -> None:
    name = f"same-{uuid.uuid4().hex[:6]}"
    bodies: dict[str, dict[str, Any]] = {
        "channels": {"channel_type": "inapp"},
        "templates": {"content": {"inapp": {"title": "x"}}},
        "event-types": {"channels": ["inapp"]},
    }
    for _ in range(2):
        assert publisher.http.put(f"/v1/{path}/{name}", json=bodies[path]).status_code == 200
    assert publisher.http.put(f"/v1/{path}/{name}", json={"unknown": 1}).status_code == 422
    assert len(entries(publisher, object=f"{path}/{name}")) == 1


@pytest.mark.parametrize(
    ("changed", "first", "second", "undo", "before"),
    [
        (
            "limits/producer:a",
            """insert into limits values ('producer:a', '{"limit": 5, "window_seconds": 60}')""",
            {"limit": 6, "window_seconds": 60},
            "DELETE",
            {"limit": "5"},
        ),
        (
            "event-types/simultaneous",
            """insert into event_types values ('simultaneous', 1, '{"category": "other"}')""",
            {"category": "billing"},
            "DELETE",
            {"category": '"other"'},
        ),
        (
            "retention",
            """update retention set document = '{"days": 36499, "categories": {}}'""",
            {"days": 36_500},
            "PUT",
            {"days": "36499"},
        ),
        (
            "preferences",
            """update preference_defaults set document = '{"channels": {"a": true}}'""",
            {"channels": {"a": False}},
            "PUT",
            {"channels.a": "true"},
        ),
    ],
)
def test_of_two_changes_at_once_the_second_is_logged_with_the_value_of_the_first(
    publisher: Publisher, changed: str, first: str, second: dict[str, Any], undo: str, before: dict[str, str]
) -> None:
    path = f"/v1/{changed}"
    waiting = "select from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
    with ThreadPoolExecutor(1) as thread, psycopg.connect(publisher.database_url) as connection:
        connection.execute(first)
        putting = thread.submit(publisher.http.put, path, json=second)
        waiting_for(lambda: publisher.sql(waiting, connection.info.backend_pid), "the second change to wait")
        connection.commit()
        assert putting.result().status_code == 200
    [entry, *_] = entries(publisher, object=changed)
    assert publisher.http.request(undo, path, json={}).is_success
    assert {name: change["before"] for name, change in entry["changes"].items()} == before


def test_a_large_change_is_shortened(publisher: Publisher) -> None:
    name = f"large-{uuid.uuid4().hex[:6]}"
    content = {"inapp": {"title": "x" * 500, "data": {f"k{number:03}": "v" for number in range(150)}}}
    publisher.http.put(f"/v1/templates/{name}", json={"content": content})
    [entry] = entries(publisher, object=f"templates/{name}")
    assert len(entry["changes"]) == 100
    assert max(len(each["after"]) for each in entry["changes"].values()) <= 200


def test_the_log_is_read_page_by_page_and_by_its_fields(publisher: Publisher) -> None:
    name = f"paged-{uuid.uuid4().hex[:6]}"
    for enabled in (True, False, True):
        publisher.http.put(f"/v1/channels/{name}", json={"channel_type": "inapp", "enabled": enabled})
    everything = [each["entry_id"] for each in entries(publisher, object=f"channels/{name}", principal="tests")]
    assert len(everything) == 3
    pages, before = [], None
    while True:
        query = {"object": f"channels/{name}", "limit": "1"} | ({"before": before} if before else {})
        page = publisher.http.get("/v1/audit-log", params=query).json()
        pages += [each["entry_id"] for each in page["entries"]]
        if (before := page["next"]) is None:
            break
    assert pages == everything
    assert entries(publisher, object=f"channels/{name}", principal="eve") == []
    assert problem_of(publisher.http.get("/v1/audit-log", params={"limit": 101})) == (422, "invalid_request", ["limit"])
