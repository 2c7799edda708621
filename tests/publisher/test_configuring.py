"""Channels and templates through the API: changed at run time, checked when they are stored."""

import uuid
from typing import Any

import pytest

from shared.topology import CHANNEL_TYPES
from tests.publisher.running import Publisher, notification
from tests.publisher.topic import waiting_for

pytestmark = pytest.mark.emulators


def test_a_channel_is_created_at_run_time(publisher: Publisher) -> None:
    slug = f"webhook-{uuid.uuid4().hex[:6]}"
    config = {"url": "https://chat.example.com/in", "headers": {"X-Room": "ops"}, "secret_ref": "WEBHOOK_CHAT"}
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
    assert (
        publisher.http.put("/v1/channels/x", json={"channel_type": "fax"}).json()["errors"][0]["field"]
        == "channel_type"
    )


@pytest.mark.parametrize(
    ("channel_type", "config", "field"),
    [
        ("email", {"providers": ["smtp", "sendgird"]}, "config.providers.1"),
        ("sms", {"providers": ["smtp"]}, "config.providers.0"),
        ("email", {"url": "https://chat.example.com/in"}, "config.url"),
        ("webhook", {"headers": {"X A": "a"}}, "config.headers.X A.[key]"),
        ("webhook", {"headers": {"X-A": "a\r\nB: c"}}, "config.headers.X-A"),
        ("webhook", {"headers": {"X-A": "☃"}}, "config.headers.X-A"),
        ("webhook", {"headers": {"Content-Length": "5"}}, "config.headers"),
        ("webhook", {"url": "https://a..b/"}, "config.url"),
    ],
)
def test_a_config_that_its_function_would_not_understand_is_refused(
    publisher: Publisher, channel_type: str, config: dict[str, Any], field: str
) -> None:
    response = publisher.http.put("/v1/channels/misled", json={"channel_type": channel_type, "config": config})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, field)


def test_a_config_takes_no_credential(publisher: Publisher) -> None:
    for config in ({"api_key": "s3cret"}, {"headers": {"Authorization": "Bearer s3cret"}}):
        response = publisher.http.put("/v1/channels/leaky", json={"channel_type": "webhook", "config": config})
        assert (response.status_code, "s3cret" in response.text) == (422, False)


def test_a_template_with_an_error_is_refused_when_it_is_stored(publisher: Publisher) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"email": {"subject": "{{ oops", "text": "x"}}, "content.email.subject"),
        ({"email": {"subject": "x"}}, "content.email.text"),
        ({"sms": {"subject": "x", "text": "y"}}, "content.sms.subject"),
        ({"fax": {"text": "y"}}, "content.fax"),
    ]
    for content, field in cases:
        response = publisher.http.put("/v1/templates/slip", json={"content": content})
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, field)


def test_a_template_cannot_reach_out_of_its_sandbox(publisher: Publisher) -> None:
    content = {"inapp": {"title": "{{ ''.__class__.__mro__ }}"}}
    assert publisher.http.put("/v1/templates/escape", json={"content": content}).status_code == 200
    response = publisher.http.post("/v1/notifications", json=notification(template_name="escape"))
    assert (response.status_code, "<class" in response.text) == (422, False)
