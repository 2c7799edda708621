"""A channel after PUT and PATCH, and its config as it is stored."""

from typing import Any

import pytest

from publisher_api.channels.model import Channel, ChannelChanges, ChannelFields, ChannelView
from publisher_api.channels.service import changed, checked_config, patched
from publisher_api.refusal import Refusal
from tests.factories import NOON


@pytest.mark.parametrize(
    ("channel_type", "config"),
    [
        ("email", {"providers": ["smtp", "sendgrid"], "accept_duplicates": True}),
        ("email", {"sender": {"from": "News <news@example.com>", "reply_to": "help@example.com"}}),
        *(("sms", {"sender": sender}) for sender in ("+15005550006", "Heliograph", "12345", "MG" + 32 * "0")),
        ("push", {"providers": ["fcm"], "rate": {"limit": 100, "window_seconds": 1, "burst": 200}}),
        ("inapp", {"urgent_priority": 800}),
        (
            "webhook",
            {"url": "https://x.example/", "body": {"a": ["{title}: {text}", None, {"b": "{body}", "c": "{}"}]}},
        ),
    ],
    ids=str,
)
def test_a_config_is_stored_as_it_was_given(channel_type: str, config: dict[str, Any]) -> None:
    assert checked_config(channel_type, config) == config


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ('"Ada, of News" <Ada@EXAMPLE.com>', '"Ada, of News" <Ada@example.com>'),
        ("news@xn--mnchen-3ya.example", "news@xn--mnchen-3ya.example"),
        ("Zoë <news@münchen.example>", "Zoë <news@xn--mnchen-3ya.example>"),
    ],
)
def test_a_sender_is_stored_as_it_is_written_in_a_mail(given: str, stored: str) -> None:
    assert checked_config("email", {"sender": {"from": given}}) == {"sender": {"from": stored}}


def test_a_tenant_has_its_own_sender_and_the_function_gets_no_other() -> None:
    news, acme = {"from": "news@example.com"}, {"from": "acme@example.com", "reply_to": "help@example.com"}
    stored = checked_config("email", {"sender": news, "tenant_senders": {"acme": acme}, "urgent_priority": 1})
    channel = Channel(slug="news", channel_type="email", config=stored)
    assert channel.config_for("acme") == {"sender": acme, "urgent_priority": 1}
    assert channel.config_for("other") == channel.config_for(None) == {"sender": news, "urgent_priority": 1}
    numbers = checked_config("sms", {"tenant_senders": {"acme": "+15005550006"}})
    texts = Channel(slug="texts", channel_type="sms", config=numbers)
    assert (texts.config_for("acme"), texts.config_for(None)) == ({"sender": "+15005550006"}, {})
    with pytest.raises(Refusal) as caught:
        checked_config("sms", {"tenant_senders": {"acme": "twelve chars"}})
    assert [field for field, _ in caught.value.fields] == ["config.tenant_senders.acme"]


def view(**fields: Any) -> ChannelView:
    known: dict[str, Any] = {
        "channel": "chat",
        "channel_type": "webhook",
        "enabled": True,
        "config": {"url": "https://x/"},
    }
    return ChannelView(**known | fields, updated_at=NOON)


def test_a_channel_keeps_its_config_when_only_the_switch_changes() -> None:
    channel = changed("chat", ChannelFields(channel_type="webhook", enabled=False), view(), 3)
    assert (channel.enabled, channel.config, channel.version) == (False, {"url": "https://x/"}, 3)


def test_a_patch_merges_the_config_and_null_deletes_a_field() -> None:
    before = view(config={"url": "https://x.example/", "method": "PUT", "headers": {"Prefer": "a"}})
    changes = ChannelChanges(config={"method": None, "headers": {"Accept": "b"}})
    channel = patched(before, changes, 4)
    assert channel.config == {"url": "https://x.example/", "headers": {"Prefer": "a", "Accept": "b"}}
    assert (channel.enabled, channel.channel_type, channel.version) == (True, "webhook", 4)


def test_a_patch_checks_the_whole_config_after_the_change() -> None:
    with pytest.raises(Refusal) as caught:
        patched(view(config={"url": "https://x.example/"}), ChannelChanges(config={"preset": "slack"}), 4)
    assert caught.value.fields[0][0] == "config.url"


def test_a_patch_of_the_switch_keeps_a_config_that_this_release_would_refuse() -> None:
    before = view(config={"url": "https://hooks.slack.com/services/s3cret"})
    channel = patched(before, ChannelChanges(enabled=False), 4)
    assert (channel.enabled, channel.config) == (False, before.config)


def test_a_channel_keeps_its_type() -> None:
    with pytest.raises(Refusal) as caught:
        changed("chat", ChannelFields(channel_type="email"), view(), 3)
    assert caught.value.fields[0][0] == "channel_type"
