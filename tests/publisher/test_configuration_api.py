"""Channels and templates through the API: changed at run time, checked when they are stored.

What the checks refuse: ``tests/unit/publisher/test_configuration_checks.py``.
"""

import uuid
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from shared.topology import CHANNEL_TYPES
from tests.publisher.running import Publisher, notification
from tests.publisher.topic import waiting_for


def test_a_channel_is_created_at_run_time(publisher: Publisher) -> None:
    slug = f"webhook-{uuid.uuid4().hex[:6]}"
    url = "https://chat.example.com/in/{secret}"
    config = {"url": url, "url_secret_ref": "WEBHOOK_CHAT", "headers": {"Accept": "a/b"}, "secret_ref": "WEBHOOK_KEY"}
    assert (
        publisher.http.put(f"/v1/channels/{slug}", json={"channel_type": "webhook", "config": config}).status_code
        == 200
    )
    [message] = publisher.topic.deliveries(publisher.accept(channels=[slug]))
    assert (message.channel_type, message.channel, message.recipient) == ("webhook", slug, config["url"])
    assert message.config == config
    switched = publisher.http.put(f"/v1/channels/{slug}", json={"channel_type": "webhook", "enabled": False})
    assert switched.json()["config"] == config
    refused = publisher.http.put(f"/v1/channels/{slug}", json={"channel_type": "email"})
    assert refused.json()["errors"][0]["field"] == "channel_type"


def test_a_credential_stored_by_an_older_release_is_used_and_shown_to_nobody(publisher: Publisher) -> None:
    slug = f"webhook-{uuid.uuid4().hex[:6]}"
    config = {"url": "https://hooks.slack.com/services/s3cret", "headers": {"X-Auth-Token": "s3cret"}}
    publisher.sql("insert into channels (slug, kind, config) values (%s, 'webhook', %s)", slug, Jsonb(config))
    kept = publisher.http.put(f"/v1/channels/{slug}", json={"channel_type": "webhook"})
    shown = {"url": "https://hooks.slack.com/***", "headers": {"X-Auth-Token": "***"}}
    listed = publisher.http.get("/v1/channels")
    assert [kept.json()["config"]] == [shown]
    assert [each["config"] for each in listed.json()["channels"] if each["channel"] == slug] == [shown]
    notification_id = publisher.accept(channels=[slug])
    assert "s3cret" not in kept.text + listed.text + publisher.http.get(f"/v1/notifications/{notification_id}").text
    [message] = publisher.topic.deliveries(notification_id)
    assert message.config == config


def test_a_channel_that_is_off_suppresses_and_its_switch_reaches_the_functions(publisher: Publisher) -> None:
    slug = f"off-{uuid.uuid4().hex[:6]}"
    publisher.http.put(f"/v1/channels/{slug}", json={"channel_type": "inapp", "enabled": False})
    found: Any = publisher.read(publisher.accept(channels=[slug]))
    assert (found["deliveries"][0]["status"], found["deliveries"][0]["reason"]) == ("suppressed", "channel_off")
    waiting_for(
        lambda: any(command.channels.get(slug) is False for command in publisher.topic.commands(None)), "the switch"
    )


def test_a_message_carries_the_version_since_which_its_channel_is_on(publisher: Publisher) -> None:
    slug = f"on-{uuid.uuid4().hex[:6]}"
    since = []
    for _ in range(2):
        publisher.http.put(f"/v1/channels/{slug}", json={"channel_type": "inapp", "enabled": False})
        publisher.http.put(f"/v1/channels/{slug}", json={"channel_type": "inapp", "enabled": True})
        [message] = publisher.topic.deliveries(publisher.accept(channels=[slug]))
        since.append(message.switched_on)

    def switched_on() -> list[int]:
        return sorted(command.version for command in publisher.topic.commands(None) if command.channels.get(slug))

    waiting_for(lambda: switched_on() == since, f"tables of the versions {since}")


def test_every_channel_type_has_a_channel_of_its_name(publisher: Publisher) -> None:
    channels = publisher.http.get("/v1/channels").json()["channels"]
    assert {each["channel"] for each in channels if each["channel"] == each["channel_type"]} == set(CHANNEL_TYPES)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("channels", {"channel_type": "email", "config": {"providers": ["sendgird"]}}, "config.providers.0"),
        ("channels", {"channel_type": "webhook", "config": {"headers": {"Cookie": "s3cret"}}}, "config.headers"),
        ("templates", {"content": {"email": {"subject": "{{ oops", "text": "x"}}}, "content.email.subject"),
    ],
)
def test_a_refused_configuration_is_a_422_and_is_not_stored(
    publisher: Publisher, path: str, body: dict[str, Any], field: str
) -> None:
    name = f"refused-{uuid.uuid4().hex[:6]}"
    response = publisher.http.put(f"/v1/{path}/{name}", json=body)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, field)
    assert "s3cret" not in response.text
    assert publisher.sql("select slug from channels where slug = %s", name) == []
    assert publisher.http.get(f"/v1/templates/{name}").status_code == 404


def test_a_template_lists_its_variables_and_is_previewed_without_sending(publisher: Publisher) -> None:
    name, user = f"preview-{uuid.uuid4().hex[:6]}", f"u-{uuid.uuid4().hex}"
    publisher.http.put(f"/v1/users/{user}", json={"attributes": {"first_name": "Ada"}})
    content = {
        "inapp": {"title": "Paid {{ amount }}"},
        "email": {
            "subject": "Thanks, {{ user.attributes.first_name }}",
            "text": "{% set x = 1 %}{{ x }}{{ items | length }}",
        },
    }
    path = f"/v1/templates/{name}"
    stored = publisher.http.put(path, json={"content": content}).json()
    assert stored["variables"] == ["amount", "items"]
    assert publisher.http.get(path).json() == stored
    before = publisher.sql("select count(*) as n from notifications")
    rendered = publisher.http.post(f"{path}/render", json={"payload": {"amount": 10, "items": [1, 2]}, "user_id": user})
    assert rendered.status_code == 200, rendered.text
    shown = rendered.json()["content"]
    assert (shown["inapp"]["title"], shown["email"]["subject"], shown["email"]["text"]) == (
        "Paid 10",
        "Thanks, Ada",
        "12",
    )
    assert publisher.sql("select count(*) as n from notifications") == before


def test_a_preview_uses_the_payload_of_a_notification(publisher: Publisher) -> None:
    name = f"preview-{uuid.uuid4().hex[:6]}"
    publisher.http.put(f"/v1/templates/{name}", json={"content": {"inapp": {"title": "{{ event_type }} {{ amount }}"}}})
    notification_id = publisher.accept(payload={"amount": 7})
    rendered = publisher.http.post(f"/v1/templates/{name}/render", json={"notification_id": notification_id})
    assert rendered.json()["content"]["inapp"]["title"] == "payment 7"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 422, "either a payload or a notification_id"),
        ({"payload": {}}, 422, "'amount' is undefined"),
        ({"notification_id": str(uuid.uuid4())}, 404, "not found"),
    ],
)
def test_a_preview_that_cannot_be_made_says_why(
    publisher: Publisher, body: dict[str, Any], status: int, said: str
) -> None:
    publisher.http.put("/v1/templates/preview", json={"content": {"inapp": {"title": "{{ amount }}"}}})
    refused = publisher.http.post("/v1/templates/preview/render", json=body)
    assert (refused.status_code, said in refused.json()["detail"]) == (status, True), refused.text


def test_a_template_cannot_reach_out_of_its_sandbox(publisher: Publisher) -> None:
    content = {"inapp": {"title": "{{ ''.__class__.__mro__ }}"}}
    assert publisher.http.put("/v1/templates/escape", json={"content": content}).status_code == 200
    response = publisher.http.post("/v1/notifications", json=notification(template_name="escape"))
    assert (response.status_code, "<class" in response.text) == (422, False)
