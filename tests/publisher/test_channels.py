"""/v1/channels: created, changed, switched, tested and deleted at run time."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from postgres.pool import Connected, make_pool
from publisher_api.channels.store import delete_channel, lock_channels
from publisher_api.event_types.model import EventTypeFields
from publisher_api.event_types.store import hold_channels, put_event_type
from shared.topology import CHANNEL_TYPES
from tests.publisher.running import Publisher, problem_of
from tests.publisher.topic import waiting_for

CONFIG = {"url": "https://chat.example.com/in/{secret}", "url_secret_ref": "WEBHOOK_CHAT"}


@pytest.fixture
def slug(publisher: Publisher) -> str:
    """A webhook of this test's own."""
    slug = f"hook-{uuid.uuid4().hex[:8]}"
    created = publisher.http.post("/v1/channels", json={"channel": slug, "channel_type": "webhook", "config": CONFIG})
    assert created.status_code == 201, created.text
    return slug


def test_a_created_channel_has_a_location_and_is_used_at_once(publisher: Publisher) -> None:
    slug = f"hook-{uuid.uuid4().hex[:8]}"
    body: dict[str, Any] = {"channel": slug, "channel_type": "webhook", "config": CONFIG}
    created = publisher.http.post("/v1/channels", json=body)
    assert (created.status_code, created.headers["Location"]) == (201, f"/v1/channels/{slug}")
    assert created.json() == publisher.http.get(f"/v1/channels/{slug}").json()
    [message] = publisher.topic.deliveries(publisher.accept(channels=[slug]))
    assert (message.channel, message.config) == (slug, CONFIG)


def test_a_slug_that_exists_is_not_created_again(publisher: Publisher, slug: str) -> None:
    again = publisher.http.post("/v1/channels", json={"channel": slug, "channel_type": "email"})
    assert problem_of(again)[:2] == (409, "already_exists")
    assert publisher.http.get(f"/v1/channels/{slug}").json()["config"] == CONFIG


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/toggle"), ("POST", "/test")],
)
def test_a_channel_that_does_not_exist_is_a_404(publisher: Publisher, method: str, path: str) -> None:
    body: dict[str, Any] | None = None if method in ("GET", "DELETE") else {}
    assert publisher.http.request(method, f"/v1/channels/nowhere{path}", json=body).status_code == 404


def test_a_patch_changes_what_it_has(publisher: Publisher, slug: str) -> None:
    path = f"/v1/channels/{slug}"
    publisher.http.patch(path, json={"config": {"method": "PUT", "urgent_priority": 800}})
    changed = publisher.http.patch(path, json={"config": {"method": None}})
    assert changed.json()["config"] == {**CONFIG, "urgent_priority": 800}
    switched = publisher.http.patch(path, json={"enabled": False})
    assert (switched.json()["enabled"], switched.json()["config"]) == (False, changed.json()["config"])
    refused = publisher.http.patch(path, json={"config": {"preset": "slack"}})
    assert problem_of(refused)[2] == ["config.url"]
    assert publisher.http.get(path).json() == switched.json()
    assert publisher.http.patch(path, json={"channel_type": "email"}).status_code == 422


def test_a_toggle_flips_or_sets_and_the_functions_get_each_switch(publisher: Publisher, slug: str) -> None:
    path = f"/v1/channels/{slug}/toggle"
    assert publisher.http.post(path).json()["enabled"] is False
    assert publisher.http.post(path, json={}).json()["enabled"] is True
    assert publisher.http.post(path, json={"enabled": True}).json()["enabled"] is True
    assert publisher.http.post(path, json={"enabled": False}).json()["enabled"] is False

    def switches() -> list[bool]:
        sent = [command for command in publisher.topic.commands(None) if slug in command.channels]
        return [command.channels[slug] for command in sorted(sent, key=lambda each: each.version)]

    waiting_for(lambda: switches() == [True, False, True, True, False], "a table for each change")


def test_toggles_at_once_each_flip_it(publisher: Publisher, slug: str) -> None:
    def toggle() -> None:
        assert publisher.http.post(f"/v1/channels/{slug}/toggle").status_code == 200

    threads = [threading.Thread(target=toggle) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert publisher.http.get(f"/v1/channels/{slug}").json()["enabled"] is False


def test_the_first_channel_of_each_type_cannot_be_deleted(publisher: Publisher) -> None:
    for slug in CHANNEL_TYPES:
        assert problem_of(publisher.http.delete(f"/v1/channels/{slug}"))[:2] == (409, "built_in")


def test_a_channel_that_event_types_name_is_deleted_after_them(publisher: Publisher, slug: str) -> None:
    name = f"event-{uuid.uuid4().hex[:8]}"
    publisher.http.put(f"/v1/event-types/{name}", json={"channels": ["inapp", slug]})
    refused = publisher.http.delete(f"/v1/channels/{slug}")
    assert (problem_of(refused)[:2], refused.json()["event_types"]) == ((409, "in_use"), [name])
    publisher.http.delete(f"/v1/event-types/{name}")
    assert publisher.http.delete(f"/v1/channels/{slug}").status_code == 204
    assert publisher.http.get(f"/v1/channels/{slug}").status_code == 404


def request_during(publisher: Publisher, change: Callable[[Connected], None], *request: Any) -> httpx.Response:
    """Send ``request`` while a transaction with ``change`` is open; its answer comes after the transaction."""
    with ThreadPoolExecutor(1) as threads, make_pool(publisher.database_url, 1) as pool:
        with pool.connection() as connection:
            change(connection)
            [own] = connection.execute("select pg_backend_pid() as pid").fetchall()
            response = threads.submit(publisher.http.request, *request[:2], json=request[2])
            waits = "select pid from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
            waiting_for(lambda: response.done() or publisher.sql(waits, own["pid"]), "the request waits or has ended")
        return response.result()


def test_a_channel_that_an_event_type_is_about_to_name_is_not_deleted(publisher: Publisher, slug: str) -> None:
    name = f"event-{uuid.uuid4().hex[:8]}"
    fields = EventTypeFields(channels=[slug])

    def declare(connection: Connected) -> None:
        hold_channels(connection)
        put_event_type(connection, name, fields)

    refused = request_during(publisher, declare, "DELETE", f"/v1/channels/{slug}", None)
    assert (problem_of(refused)[:2], refused.json()["event_types"]) == ((409, "in_use"), [name])


def test_an_event_type_does_not_name_a_channel_that_is_being_deleted(publisher: Publisher, slug: str) -> None:
    name = f"event-{uuid.uuid4().hex[:8]}"

    def delete(connection: Connected) -> None:
        lock_channels(connection)
        delete_channel(connection, slug)

    refused = request_during(publisher, delete, "PUT", f"/v1/event-types/{name}", {"channels": [slug]})
    assert problem_of(refused) == (422, "unknown_channel", ["channels.0"])


def test_the_history_keeps_the_slug_of_a_deleted_channel(publisher: Publisher, slug: str) -> None:
    notification_id = publisher.accept(channels=[slug])
    publisher.http.delete(f"/v1/channels/{slug}")
    found: Any = publisher.read(notification_id)
    assert [each["channel"] for each in found["deliveries"]] == [slug]
    refused = publisher.http.post(
        "/v1/notifications", json={"user_id": "u", "event_type": "x", "channels": [slug], "payload": {}}
    )
    assert problem_of(refused)[:2] == (422, "unknown_channel")


def test_the_functions_get_a_table_without_a_deleted_channel(publisher: Publisher, slug: str) -> None:
    """A table that lacks a channel stops it (``test_channel_switches.py``)."""

    def newest() -> Any:
        return max(publisher.topic.commands(None), key=lambda command: command.version, default=None)

    waiting_for(lambda: newest() is not None and slug in newest().channels, "the switch")
    publisher.http.delete(f"/v1/channels/{slug}")
    waiting_for(lambda: slug not in newest().channels and "email" in newest().channels, "the table without it")


def test_what_waits_for_a_deleted_channel_is_suppressed_when_it_is_due(publisher: Publisher, slug: str) -> None:
    """Another delivery of the same notification is published."""
    due = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    notification_id = publisher.accept(channels=[slug, "inapp"], deliver_at=due)
    assert publisher.http.delete(f"/v1/channels/{slug}").status_code == 204

    def ends() -> dict[str, tuple[str, str | None]]:
        found: Any = publisher.read(notification_id)
        return {each["channel"]: (each["status"], each["reason"]) for each in found["deliveries"]}

    waiting_for(lambda: ends() == {slug: ("suppressed", "channel_deleted"), "inapp": ("queued", None)}, "both ends")
    assert {message.channel for message in publisher.topic.deliveries(notification_id)} == {"inapp"}
    found: Any = publisher.read(notification_id)
    [entry] = [each for each in found["timeline"] if each["event"] == "suppressed"]
    assert (entry["channel"], entry["detail"]["reason"]) == (slug, "channel_deleted")


def test_a_declared_file_and_the_api_use_the_same_configs(publisher: Publisher) -> None:
    """``test_apply.py`` has the files; here is what forms are drawn from."""
    configs = publisher.http.get("/v1/channel-configs").json()["channel_configs"]
    by_type = {each["channel_type"]: each for each in configs}
    assert by_type.keys() == {*CHANNEL_TYPES}
    assert by_type["email"]["providers"] == ["sendgrid", "smtp"]
    assert {"providers", "sender", "urgent_priority", "rate"} <= by_type["email"]["config_schema"]["properties"].keys()
    assert [each["presets"] for each in configs if each["channel_type"] != "webhook"] == [[]] * 4
    presets = {each["preset"]: each for each in by_type["webhook"]["presets"]}
    assert presets.keys() == {"slack", "slack_bot", "teams", "discord", "telegram", "google_chat"}
    assert presets["telegram"]["recipient"]["description"].startswith("a chat_id")
    for preset in presets:
        slug = f"{preset}-{uuid.uuid4().hex[:6]}"
        config = {"preset": preset, "secret_ref": f"WEBHOOK_{preset.upper()}"}
        body = {"channel": slug, "channel_type": "webhook", "config": config}
        assert publisher.http.post("/v1/channels", json=body).json()["config"] == config
