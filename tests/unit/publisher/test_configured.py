"""Channels and templates, checked before they are stored."""

from typing import Any

import pytest
from pydantic import ValidationError

from publisher_api.channels.model import ChannelConfig, ChannelFields, ChannelView
from publisher_api.channels.service import changed, check_config
from publisher_api.refusal import Refusal
from publisher_api.templates.service import check_content
from tests.factories import NOON
from tests.unit.publisher.planned import configuration


@pytest.mark.parametrize(
    ("channel_type", "config", "field"),
    [
        ("email", {"providers": ["smtp", "sendgird"]}, "config.providers.1"),
        ("sms", {"providers": ["smtp"]}, "config.providers.0"),
        ("email", {"url": "https://chat.example.com/in"}, "config.url"),
    ],
)
def test_a_config_that_its_function_would_not_understand_is_refused(
    channel_type: str, config: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refusal) as caught:
        check_config(channel_type, ChannelConfig.model_validate(config))
    assert caught.value.fields[0][0] == field


@pytest.mark.parametrize(
    "config",
    [
        {"api_key": "s3cret"},
        {"headers": {"Authorization": "Bearer s3cret"}},
        {"headers": {"X A": "a"}},
        {"headers": {"X-A": "a\r\nB: c"}},
        {"headers": {"X-A": "☃"}},
        {"headers": {"Content-Length": "5"}},
        {"url": "https://a..b/"},
        {"secret_ref": "PATH"},
        {"method": "GET"},
    ],
    ids=str,
)
def test_a_config_takes_no_credential_and_nothing_that_cannot_be_sent(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChannelConfig.model_validate(config)


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


def test_a_channel_keeps_its_type() -> None:
    with pytest.raises(Refusal) as caught:
        changed("chat", ChannelFields(channel_type="email"), view(), 3)
    assert caught.value.fields[0][0] == "channel_type"


@pytest.mark.parametrize(
    ("slug", "content", "field"),
    [
        ("email", {"subject": "{{ oops", "text": "x"}, "content.email.subject"),
        ("email", {"subject": "x"}, "content.email.text"),
        ("sms", {"subject": "x", "text": "y"}, "content.sms.subject"),
        ("fax", {"text": "y"}, "content.fax"),
        ("inapp", {"title": "x", "data": {"a": [[[[]]]] * 2} | {"b": None}, "url": "{{"}, "content.inapp.url"),
    ],
)
def test_a_template_that_could_not_be_composed_is_refused_by_field(
    slug: str, content: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refusal) as caught:
        check_content(slug, content, configuration().channels)
    assert caught.value.fields[0][0] == field
