"""Channels and templates, checked before they are stored."""

from typing import Any

import pytest
from pydantic import ValidationError

from publisher_api.channels.credentials import shown_config
from publisher_api.channels.model import ChannelConfig, ChannelFields, ChannelView
from publisher_api.channels.service import changed, check_config
from publisher_api.refusal import Refusal
from publisher_api.templates.model import TemplateContent
from publisher_api.templates.service import check, check_content
from publisher_api.validation import refusal_of
from tests.factories import NOON
from tests.unit.publisher.planned import configuration


def check_channel(channel_type: str, config: dict[str, Any] | None = None) -> None:
    """Check a type and a config as ``PUT /v1/channels/{channel}`` does. Raises ``Refusal``."""
    try:
        fields = ChannelFields.model_validate({"channel_type": channel_type, "config": config})
    except ValidationError as error:
        raise refusal_of(error) from None
    check_config(channel_type, fields.config or ChannelConfig())


@pytest.mark.parametrize(
    ("channel_type", "config", "field"),
    [
        ("email", {"providers": ["smtp", "sendgird"]}, "config.providers.1"),
        ("sms", {"providers": ["smtp"]}, "config.providers.0"),
        ("email", {"url": "https://chat.example.com/in"}, "config.url"),
        ("webhook", {"headers": {"X A": "a"}}, "config.headers.X A.[key]"),
        ("webhook", {"headers": {"Accept": "a\r\nB: c"}}, "config.headers.Accept"),
        ("webhook", {"headers": {"Accept": "☃"}}, "config.headers.Accept"),
        ("webhook", {"headers": {"Content-Length": "5"}}, "config.headers"),
        ("webhook", {"headers": {"Authorization": "Bearer s3cret"}}, "config.headers"),
        ("webhook", {"headers": {"X-Auth-Token": "s3cret"}}, "config.headers"),
        ("webhook", {"headers": {"X-Anything-Else": "s3cret"}}, "config.headers"),
        ("webhook", {"header_secret_refs": {"Host": "WEBHOOK_CHAT"}}, "config.header_secret_refs"),
        ("webhook", {"header_secret_refs": {"X-A": "s3cret"}}, "config.header_secret_refs.X-A"),
        ("webhook", {"header_secret_refs": {"X-A": "WEBHOOK_SIGNING_SECRET"}}, "config.header_secret_refs.X-A"),
        ("webhook", {"url": "https://chat.example.com/in?token=s3cret"}, "config.url"),
        ("webhook", {"url": "https://chat.example.com/in#s3cret"}, "config.url"),
        ("webhook", {"url": "https://hooks.slack.com/services/T0/B0/s3cret"}, "config.url"),
        ("webhook", {"url": "https://api.telegram.org/bot7:s3cret/sendMessage"}, "config.url"),
        ("webhook", {"url": "https://{secret}.example.com/", "url_secret_ref": "WEBHOOK_CHAT"}, "config.url"),
        ("webhook", {"url": "https://chat.example.com/{secret}"}, "config.url_secret_ref"),
        ("webhook", {"url": "https://chat.example.com/", "url_secret_ref": "WEBHOOK_CHAT"}, "config.url"),
        ("webhook", {"header_secret_refs": {"X-A": "WEBHOOK_CHAT"}}, "config.url"),
        ("webhook", {"url_secret_ref": "WEBHOOK_SIGNING_SECRET"}, "config.url_secret_ref"),
        ("webhook", {"secret_ref": "WEBHOOK_SIGNING_SECRET"}, "config.secret_ref"),
        ("webhook", {"api_key": "s3cret"}, "config.api_key"),
        ("webhook", {"secret_ref": "PATH"}, "config.secret_ref"),
        ("webhook", {"url": "https://a..b/"}, "config.url"),
        ("webhook", {"method": "GET"}, "config.method"),
        ("fax", None, "channel_type"),
    ],
    ids=str,
)
def test_a_channel_that_its_function_could_not_use_is_refused_by_field(
    channel_type: str, config: dict[str, Any] | None, field: str
) -> None:
    with pytest.raises(Refusal) as caught:
        check_channel(channel_type, config)
    assert [name for name, _ in caught.value.fields] == [field]
    assert "s3cret" not in str(caught.value.__dict__)


@pytest.mark.parametrize(
    "config",
    [
        {"url": "https://chat.example.com/in", "headers": {"Accept": "application/json"}, "secret_ref": "WEBHOOK_CHAT"},
        {"url": "https://hooks.slack.com/services/{secret}", "url_secret_ref": "WEBHOOK_SLACK"},
        {"url": "https://chat.example.com/in?room=7&token={secret}", "url_secret_ref": "WEBHOOK_CHAT"},
        {"url": "https://chat.example.com/in", "header_secret_refs": {"X-Auth-Token": "WEBHOOK_CHAT_TOKEN"}},
    ],
    ids=str,
)
def test_a_channel_names_its_credentials(config: dict[str, Any]) -> None:
    check_channel("webhook", config)


@pytest.mark.parametrize(
    ("config", "shown"),
    [
        ({"url": "https://hooks.slack.com/services/T0/s3cret"}, {"url": "https://hooks.slack.com/***"}),
        ({"url": "https://chat.example.com?token=s3cret"}, {"url": "https://chat.example.com/***"}),
        (
            {"url": "https://hooks.slack.com/services/{secret}", "url_secret_ref": "WEBHOOK_SLACK"},
            {"url": "https://hooks.slack.com/services/{secret}", "url_secret_ref": "WEBHOOK_SLACK"},
        ),
        ({"url": "https://x.example/{secret}?t=s3cret"}, {"url": "https://x.example/{secret}?***"}),
        (
            {"headers": {"X-Auth-Token": "s3cret", "accept": "a/b"}},
            {"headers": {"X-Auth-Token": "***", "accept": "a/b"}},
        ),
        ({"providers": ["smtp"]}, {"providers": ["smtp"]}),
    ],
    ids=str,
)
def test_a_stored_credential_is_shown_to_nobody(config: dict[str, Any], shown: dict[str, Any]) -> None:
    assert shown_config(config) == shown


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
        ("email", {"html": "x"}, "content.email.subject"),
        ("sms", {"subject": "x", "text": "y"}, "content.sms.subject"),
        ("fax", {"text": "y"}, "content.fax"),
        ("inapp", {"title": "x", "data": {"a": [[[[]]]] * 2} | {"b": None}, "url": "{{"}, "content.inapp.url"),
    ],
)
def test_a_template_that_could_not_be_composed_is_refused_by_field(
    slug: str, content: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refusal) as caught:
        check_content(slug, content, configuration().channels, "content")
    assert caught.value.fields[0][0] == field


@pytest.mark.parametrize(
    ("tenant", "content", "locales", "field"),
    [
        (None, {}, {}, "content"),
        ("acme", {}, {}, "content"),
        (None, {"sms": {"text": "x"}}, {"pt": {"inapp": {"title": "x"}}}, "locales.pt.inapp"),
        (None, {"sms": {"text": "x"}}, {"pt": {"sms": {"text": "{{ oops"}}}, "locales.pt.sms.text"),
        ("acme", {}, {"pt": {"sms": {}}}, "locales.pt.sms.text"),
    ],
)
def test_a_template_that_would_fail_for_some_users_is_refused_by_field(
    tenant: str | None, content: dict[str, Any], locales: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refusal) as caught:
        check(TemplateContent(content=content, locales=locales), (tenant, "t"), configuration().channels)
    assert caught.value.fields[0][0] == field


@pytest.mark.parametrize(
    ("tenant", "content", "locales"),
    [
        (None, {"email": {"subject": "x", "html": "<p>x</p>"}}, {}),
        (None, {"webhook": {"body": {}}}, {"pt-br": {"webhook-chat": {"body": {}}}}),
        ("acme", {}, {"pt": {"sms": {"text": "x"}}}),
    ],
)
def test_a_template_that_leaves_something_to_others_is_stored(
    tenant: str | None, content: dict[str, Any], locales: dict[str, Any]
) -> None:
    """The text to its HTML, a channel to its type, and the default to the template that all tenants share."""
    check(TemplateContent(content=content, locales=locales), (tenant, "t"), configuration().channels)


@pytest.mark.parametrize(
    ("locales", "said"),
    [
        ({"pt-br": {"sms": {"text": "x"}}, "pt-BR": {"sms": {"text": "y"}}}, "pt-br and pt-BR are the same language"),
        ({"not a tag": {"sms": {"text": "x"}}}, "BCP 47"),
        ({"pt": {}}, "at least 1 item"),
        ({f"de-x-{n}": {"sms": {"text": "x"}} for n in range(51)}, "at most 50 items"),
    ],
)
def test_languages_of_a_template_are_checked(locales: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TemplateContent(content={"sms": {"text": "x"}}, locales=locales)
