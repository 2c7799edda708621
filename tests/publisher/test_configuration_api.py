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


def test_a_template_cannot_reach_out_of_its_sandbox(publisher: Publisher) -> None:
    content = {"inapp": {"title": "{{ ''.__class__.__mro__ }}"}}
    assert publisher.http.put("/v1/templates/escape", json={"content": content}).status_code == 200
    response = publisher.http.post("/v1/notifications", json=notification(template_name="escape"))
    assert (response.status_code, "<class" in response.text) == (422, False)
