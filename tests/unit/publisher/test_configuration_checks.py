"""Channels and templates, checked before they are stored."""

from typing import Any

import pytest
from pydantic import ValidationError

from publisher_api.channels.credentials import shown_config
from publisher_api.channels.model import ChannelFields
from publisher_api.channels.service import changed, checked_config
from publisher_api.refusal import Refusal
from publisher_api.templates.model import TemplateContent
from publisher_api.templates.service import check, check_content
from publisher_api.validation import refusal_of
from tests.unit.publisher.planned import configuration


def check_channel(channel_type: str, config: dict[str, Any] | None = None) -> None:
    """Check a type and a config as ``PUT /v1/channels/{channel}`` does. Raises ``Refusal``."""
    try:
        fields = ChannelFields.model_validate({"channel_type": channel_type, "config": config})
    except ValidationError as error:
        raise refusal_of(error) from None
    changed("chat", fields, None, 1)


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
        ("webhook", {"body": {"text": "{title} {titel}"}}, "config.body"),
        ("webhook", {"body": {"text": "x" * 20_000}}, "config.body"),
        ("webhook", {"body": {"a": [[[[[[[[[[[]]]]]]]]]]]}}, "config.body"),
        ("webhook", {"body": "text"}, "config.body"),
        ("webhook", {"preset": "irc", "secret_ref": "WEBHOOK_IRC"}, "config.preset"),
        ("webhook", {"preset": "slack"}, "config.secret_ref"),
        ("webhook", {"preset": "slack", "secret_ref": "https://hooks.slack.com/services/s3cret"}, "config.secret_ref"),
        ("webhook", {"preset": "slack", "secret_ref": "WEBHOOK_A", "url": "https://x.example/"}, "config.url"),
        ("webhook", {"preset": "slack", "secret_ref": "WEBHOOK_A", "body": {}}, "config.body"),
        ("webhook", {"preset": "slack", "secret_ref": "WEBHOOK_A", "recipient": "#ops"}, "config.recipient"),
        ("webhook", {"preset": "telegram", "secret_ref": "WEBHOOK_A", "recipient": "Ada L"}, "config.recipient"),
        ("webhook", {"recipient": "@ops"}, "config.recipient"),
        ("webhook", {"providers": ["http"]}, "config.providers"),
        ("email", {"providers": []}, "config.providers"),
        ("email", {"providers": ["smtp", "smtp"]}, "config.providers"),
        ("email", {"sender": "hello@example.com"}, "config.sender"),
        ("email", {"sender": {"from": "no address"}}, "config.sender.from"),
        ("email", {"sender": {"from": "A <a@example.com>, b@example.com"}}, "config.sender.from"),
        ("email", {"sender": {"from": "grüße@example.com"}}, "config.sender.from"),
        ("email", {"sender": {"reply_to": "a@example.com\nBcc: b@example.com"}}, "config.sender.reply_to"),
        ("sms", {"sender": "01234-5678"}, "config.sender"),
        ("sms", {"sender": "a name that is too long"}, "config.sender"),
        ("sms", {"preset": "slack"}, "config.preset"),
        ("push", {"sender": "+15005550006"}, "config.sender"),
        ("inapp", {"accept_duplicates": True}, "config.accept_duplicates"),
        ("inapp", {"urgent_priority": 1001}, "config.urgent_priority"),
        ("email", {"urgent_priority": "800"}, "config.urgent_priority"),
        ("sms", {"rate": {"limit": 0, "window_seconds": 60}}, "config.rate.limit"),
        ("sms", {"rate": {"limit": 10}}, "config.rate.window_seconds"),
        ("inapp", {"rate": {"limit": 10, "window_seconds": 1}}, "config.rate"),
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
        {"preset": "slack", "secret_ref": "WEBHOOK_SLACK"},
        {"preset": "telegram", "secret_ref": "WEBHOOK_TELEGRAM", "recipient": "-1001234567890"},
        {"preset": "telegram", "secret_ref": "WEBHOOK_TELEGRAM"},
        {"preset": "slack_bot", "secret_ref": "WEBHOOK_SLACK", "recipient": "#on-call"},
    ],
    ids=str,
)
def test_a_channel_names_its_credentials(config: dict[str, Any]) -> None:
    assert checked_config("webhook", config) == config


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
