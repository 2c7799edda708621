"""The presets of the webhook channel, each against a stand-in that keeps the rules of its service."""

from urllib.parse import unquote

import pytest

from functions.runtime.provider import Rejected, Sent
from functions.webhook.request import receiver_of
from functions.webhook.services import SERVICES
from shared.errors import Retryable
from shared.reasons import Reason
from shared.webhook_presets import PRESETS
from tests.factories import make_delivery
from tests.providers import chat_services
from tests.providers.adapters import webhook
from tests.providers.chat_services import IDS, RECIPIENTS, SECRETS, delivery_with, provider_at, running

each_preset = pytest.mark.parametrize("preset", PRESETS)


@each_preset
def test_a_message_arrives_and_its_id_is_read_from_the_answer(preset: str) -> None:
    with running(preset) as service:
        assert provider_at(service, preset).send(delivery_with(preset)) == Sent(preset, IDS[preset])
    [shown] = service.shown
    assert [line.strip("*") for line in shown.splitlines()] == ["Paid", "You paid 10 €."]
    assert "webhook-signature" not in service.asked[0].headers


@each_preset
def test_a_notification_without_a_text_is_shown_as_its_event_type_and_payload(preset: str) -> None:
    delivery = delivery_with(preset, {"type": "order_shipped", "data": {"payload": {}}})
    with running(preset) as service:
        provider_at(service, preset).send(delivery)
    assert [line.strip("*") for line in service.shown[0].splitlines()] == ["Payment", "amount: 10"]


@each_preset
@pytest.mark.parametrize("letter", ["a", "<", "&", "é", "😀", '"', "\n", "\\"], ids=ascii)
def test_a_long_text_is_cut_to_what_the_service_takes(preset: str, letter: str) -> None:
    body = {"title": "Paid " * 100, "text": letter * 60_000}
    with running(preset) as service:
        assert isinstance(provider_at(service, preset).send(delivery_with(preset, body)), Sent)
    [shown] = service.shown
    assert shown.endswith("…")
    assert shown.count(letter) > 800


@each_preset
@pytest.mark.parametrize(
    "text",
    [
        "<!channel> <@U1> <users/all> <https://x.example|y> & @everyone",
        "**bold** *b* __u__ _i_ ~~gone~~ ||hidden|| `code` ```code```",
        "[Sign in](https://x.example) &lt; {{DATE(2026-01-01T00:00:00Z)}} \\*a\\* \\",
        "# Heading\n-# small\n- item\n + item\n* item\n1. one\n  20) two\n> quote\n>>> quote",
    ],
    ids=["mentions", "formats", "links", "blocks"],
)
def test_markup_and_mentions_in_a_text_are_only_text(preset: str, text: str) -> None:
    with running(preset) as service:
        provider_at(service, preset).send(delivery_with(preset, {"title": "<b>& **all** yes", "text": text}))
    title, *lines = service.shown[0].splitlines()
    assert (title.removeprefix("*").removesuffix("*"), lines) == ("<b>& **all** yes", text.splitlines())


@each_preset
def test_an_address_in_a_text_leads_to_the_same_page(preset: str) -> None:
    """An address with [, ] or * is shown with these percent-encoded where they would be markup."""
    address = "https://x.example/a_b/_c_?utm_source=**[d](https://y.example)~e"
    with running(preset) as service:
        provider_at(service, preset).send(delivery_with(preset, {"title": f"See {address}", "text": f"At {address}"}))
    title, text = unquote(service.shown[0]).splitlines()
    assert (title.removeprefix("*").removesuffix("*"), text) == (f"See {address}", f"At {address}")


@pytest.mark.parametrize("preset", RECIPIENTS)
def test_the_recipient_is_in_the_config_or_comes_with_the_request(preset: str) -> None:
    with running(preset) as service:
        provider = provider_at(service, preset)
        assert isinstance(provider.send(delivery_with(preset)), Sent)
        assert isinstance(provider.send(delivery_with(preset, recipient=RECIPIENTS[preset])), Sent)
        without_recipient = make_delivery(
            "webhook", recipient="https://x.example/", config={"preset": preset, "secret_ref": "WEBHOOK_CHAT"}
        )
        answer = provider.send(without_recipient)
    assert isinstance(answer, Rejected)
    assert (answer.reason, len(service.asked)) == (Reason.INVALID_RECIPIENT, 2)


@each_preset
@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("", Reason.SECRET_MISSING),
        ("s3cret", Reason.SECRET_MALFORMED),
        ("http://hooks.slack.com/s3cret", Reason.SECRET_MALFORMED),
        ("https://discord.com:8443/s3cret", Reason.SECRET_MALFORMED),
        ("https://", Reason.SECRET_MALFORMED),
        ("https://evil.example/s3cret", Reason.SECRET_NOT_FOR_RECEIVER),
        ("https://hooks.slack.com@evil.example/s3cret", Reason.SECRET_NOT_FOR_RECEIVER),
        ("https://evil-logic.azure.com.example/s3cret", Reason.SECRET_NOT_FOR_RECEIVER),
    ],
)
def test_a_secret_that_is_not_for_the_service_is_sent_to_nobody(preset: str, secret: str, reason: Reason) -> None:
    if not PRESETS[preset].secret_is_url and secret:
        secret = secret.replace("/s3cret", " s3cret")
        reason = Reason.SECRET_NOT_FOR_RECEIVER if " " in secret else Reason.SECRET_MALFORMED
    with running(preset) as service:
        answer = provider_at(service, preset, secret).send(delivery_with(preset))
    assert isinstance(answer, Rejected)
    assert (answer.reason, service.asked) == (reason, [])
    assert "s3cret" not in answer.detail


@pytest.mark.parametrize("preset", RECIPIENTS)
@pytest.mark.parametrize("token", ["s3crét", "s3cret\tb", "s3cret b", "s3cret\r\nX-A: b"], ids=ascii)
def test_a_token_that_no_header_or_url_can_hold_is_a_fault_of_the_channel(preset: str, token: str) -> None:
    secret = f"{SECRETS[preset].split()[0]} {token}"
    with running(preset) as service:
        answer = provider_at(service, preset, secret).send(delivery_with(preset))
    assert isinstance(answer, Rejected)
    assert (answer.reason, service.asked) == (Reason.SECRET_MALFORMED, [])
    assert "s3cr" not in answer.detail


@each_preset
def test_a_secret_of_one_service_is_not_sent_to_another(preset: str) -> None:
    for other, secret in SECRETS.items():
        if other != preset:
            with running(preset) as service:
                answer = provider_at(service, preset, secret).send(delivery_with(preset))
            assert isinstance(answer, Rejected)
            assert service.asked == []


@each_preset
def test_a_revoked_secret_is_retried_and_not_booked_as_the_recipients_fault(preset: str) -> None:
    """The stand-in answers a wrong secret as its service does. Some services cannot say more than that it is gone."""
    with running(preset) as service:
        provider = provider_at(service, preset, SECRETS[preset][:-1] + "Z")
        if preset in ("slack", "discord"):
            assert isinstance(answer := provider.send(delivery_with(preset)), Rejected)
            assert answer.reason == Reason.GONE
        else:
            with pytest.raises(Retryable) as caught:
                provider.send(delivery_with(preset))
            assert (caught.value.reason, caught.value.ambiguous) == (Reason.CREDENTIALS_REFUSED, False)


def test_a_preset_that_this_function_does_not_know_is_rejected() -> None:
    delivery = make_delivery("webhook", config={"preset": "irc", "secret_ref": "WEBHOOK_CHAT"})
    assert webhook().send(delivery) == Rejected("http", Reason.UNKNOWN_PRESET, "irc")


def test_every_preset_has_a_service_and_a_stand_in() -> None:
    assert SERVICES.keys() == PRESETS.keys() == chat_services.SERVICES.keys()


def test_each_secret_of_a_service_is_a_receiver_of_its_own() -> None:
    """Rooms of one service share its origin, and one whose webhook was deleted must not stop the others."""
    names = [receiver_of(delivery_with("slack", secret_ref=name)) for name in ("WEBHOOK_A", "WEBHOOK_B", "WEBHOOK_A")]
    assert names[0] == names[2] != names[1]
