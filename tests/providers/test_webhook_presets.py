"""The presets of the webhook channel, each against a stand-in that keeps the rules of its service."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from functions.runtime.provider import Rejected, Sent
from functions.webhook.http import Http
from functions.webhook.request import receiver_of
from functions.webhook.services import SERVICES
from shared.envelope import Delivery
from shared.errors import Retryable
from shared.reasons import Reason
from shared.webhook_presets import PRESETS, configured_address
from tests.factories import make_delivery
from tests.providers import chat_services
from tests.providers.adapters import webhook
from tests.providers.chat_services import IDS, RECIPIENTS, SECRETS, StandIn, text_answer
from tests.providers.server import HANG_UP, SILENCE, Answer, serving

each_preset = pytest.mark.parametrize("preset", PRESETS)


@contextmanager
def running(preset: str) -> Iterator[StandIn]:
    answer_to = chat_services.SERVICES[preset]
    with serving(script_at=lambda url: StandIn(url, answer_to)) as service:
        assert isinstance(service, StandIn)
        yield service


def provider_at(service: StandIn, preset: str, secret: str | None = None) -> Http:
    return webhook(WEBHOOK_CHAT=SECRETS[preset] if secret is None else secret, WEBHOOK_PRESET_URL=service.url)


def delivery_with(preset: str, body: dict[str, Any] | None = None, **config: object) -> Delivery:
    """A delivery on a channel with the preset, addressed as planning does."""
    config = {"preset": preset, "secret_ref": "WEBHOOK_CHAT", **config}
    recipient = configured_address(config) or RECIPIENTS[preset]
    content = {"body": {"title": "Paid", "text": "You paid 10 €."} if body is None else body}
    return make_delivery("webhook", recipient=recipient, config=config, content=content)


def outcome_with(preset: str, answer: Answer) -> Sent | Rejected | Retryable:
    with running(preset) as service:
        service.answers = [answer]
        try:
            return provider_at(service, preset).send(delivery_with(preset))
        except Retryable as error:
            assert len(service.asked) == 1
            return error


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
def test_markup_and_mentions_in_a_text_are_only_text(preset: str) -> None:
    text = "<!channel> <@U1> <users/all> <https://x.example|y> & @everyone"
    with running(preset) as service:
        provider_at(service, preset).send(delivery_with(preset, {"title": "<b>&", "text": text}))
    assert service.shown[0].splitlines()[-1] == text


@pytest.mark.parametrize("preset", RECIPIENTS)
def test_the_recipient_is_in_the_config_or_comes_with_the_request(preset: str) -> None:
    with running(preset) as service:
        provider = provider_at(service, preset)
        assert isinstance(provider.send(delivery_with(preset)), Sent)
        assert isinstance(provider.send(delivery_with(preset, recipient=RECIPIENTS[preset])), Sent)
        nobody = make_delivery(
            "webhook", recipient="https://x.example/", config={"preset": preset, "secret_ref": "WEBHOOK_CHAT"}
        )
        answer = provider.send(nobody)
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


def slack_bot_error(code: str, status: int = 200) -> Answer:
    return Answer.json(status, {"ok": False, "error": code})


def telegram_error(status: int, description: str) -> Answer:
    return Answer.json(status, {"ok": False, "error_code": status, "description": description})


discord_error = partial(lambda status, code: Answer.json(status, {"message": "…", "code": code}))
teams_error = partial(lambda status, code: Answer.json(status, {"error": {"code": code, "message": "…"}}))
google_error = partial(lambda status, code: Answer.json(status, {"error": {"code": status, "status": code}}))


@pytest.mark.parametrize(
    ("preset", "answer", "reason"),
    [
        ("slack", text_answer(404, "channel_not_found"), Reason.INVALID_RECIPIENT),
        ("slack", text_answer(404, "no_service"), Reason.GONE),
        ("slack", text_answer(404, "no_team"), Reason.GONE),
        ("slack", text_answer(410, "channel_is_archived"), Reason.GONE),
        ("slack", text_answer(400, "user_not_found"), Reason.INVALID_RECIPIENT),
        ("slack", text_answer(400, "invalid_payload"), Reason.BAD_REQUEST),
        ("slack", text_answer(400, "no_text"), Reason.BAD_REQUEST),
        ("slack", text_answer(413, "<html>too large"), Reason.TOO_LARGE),
        ("slack_bot", slack_bot_error("channel_not_found"), Reason.INVALID_RECIPIENT),
        ("slack_bot", slack_bot_error("is_archived"), Reason.GONE),
        ("slack_bot", slack_bot_error("msg_too_long"), Reason.TOO_LARGE),
        ("slack_bot", slack_bot_error("a_code_of_tomorrow"), Reason.REFUSED),
        ("teams", teams_error(400, "InvalidRequestContent"), Reason.BAD_REQUEST),
        ("teams", teams_error(404, "WorkflowNotFound"), Reason.GONE),
        ("teams", teams_error(413, "RequestEntityTooLarge"), Reason.TOO_LARGE),
        ("discord", discord_error(404, 10015), Reason.GONE),
        ("discord", discord_error(400, 50035), Reason.BAD_REQUEST),
        ("discord", discord_error(400, 40005), Reason.TOO_LARGE),
        ("telegram", telegram_error(400, "Bad Request: chat not found"), Reason.BAD_REQUEST),
        ("telegram", telegram_error(403, "Forbidden: bot was blocked by the user"), Reason.REFUSED),
        ("google_chat", google_error(400, "INVALID_ARGUMENT"), Reason.BAD_REQUEST),
        ("google_chat", google_error(404, "NOT_FOUND"), Reason.GONE),
    ],
)
def test_a_permanent_refusal_is_rejected_with_the_code_of_the_service(
    preset: str, answer: Answer, reason: Reason
) -> None:
    rejected = outcome_with(preset, answer)
    assert isinstance(rejected, Rejected)
    assert (rejected.provider, rejected.reason) == (preset, reason)
    assert rejected.detail.startswith(str(answer.status))
    assert "<html>" not in rejected.detail


def test_the_detail_says_what_telegram_says() -> None:
    rejected = outcome_with("telegram", telegram_error(403, "Forbidden: bot was kicked from -1001234567890"))
    assert rejected == Rejected("telegram", Reason.REFUSED, "403 Forbidden: bot was kicked from ***")


@pytest.mark.parametrize(
    ("preset", "answer", "reason", "ambiguous"),
    [
        ("slack", text_answer(403, "action_prohibited"), Reason.CREDENTIALS_REFUSED, False),
        ("slack", text_answer(403, "invalid_token"), Reason.CREDENTIALS_REFUSED, False),
        ("slack", text_answer(500, "rollup_error"), Reason.PROVIDER_ERROR, True),
        ("slack_bot", slack_bot_error("token_revoked"), Reason.CREDENTIALS_REFUSED, False),
        ("slack_bot", slack_bot_error("not_in_channel"), Reason.CREDENTIALS_REFUSED, False),
        ("slack_bot", slack_bot_error("ratelimited", 429), Reason.RATE_LIMITED, False),
        ("slack_bot", slack_bot_error("message_limit_exceeded"), Reason.RATE_LIMITED, False),
        ("slack_bot", slack_bot_error("fatal_error"), Reason.PROVIDER_ERROR, True),
        ("slack_bot", slack_bot_error("service_unavailable"), Reason.PROVIDER_ERROR, False),
        ("slack_bot", text_answer(200, "<html>"), Reason.PROVIDER_ERROR, True),
        ("teams", teams_error(400, "WorkflowTriggerIsNotEnabled"), Reason.NOT_ACCEPTED_NOW, False),
        ("teams", teams_error(403, "AuthorizationFailed"), Reason.CREDENTIALS_REFUSED, False),
        ("discord", discord_error(401, 50027), Reason.CREDENTIALS_REFUSED, False),
        ("discord", Answer.json(429, {"message": "…", "retry_after": 0.5}), Reason.RATE_LIMITED, False),
        ("telegram", telegram_error(401, "Unauthorized"), Reason.CREDENTIALS_REFUSED, False),
        ("telegram", telegram_error(429, "Too Many Requests: retry after 5"), Reason.RATE_LIMITED, False),
        ("google_chat", google_error(403, "PERMISSION_DENIED"), Reason.CREDENTIALS_REFUSED, False),
        ("google_chat", google_error(429, "RESOURCE_EXHAUSTED"), Reason.RATE_LIMITED, False),
        *((preset, Answer(503), Reason.PROVIDER_ERROR, False) for preset in PRESETS),
        *((preset, Answer(502, b"<html>"), Reason.PROVIDER_ERROR, True) for preset in PRESETS),
        *((preset, HANG_UP, Reason.TIMEOUT, True) for preset in PRESETS),
        *((preset, SILENCE, Reason.TIMEOUT, True) for preset in PRESETS),
    ],
)
def test_a_temporary_failure_is_retryable_and_not_repeated(
    preset: str, answer: Answer, reason: Reason, *, ambiguous: bool
) -> None:
    error = outcome_with(preset, answer)
    assert isinstance(error, Retryable)
    assert (error.reason, error.ambiguous) == (reason, ambiguous)


@each_preset
def test_a_success_whose_body_ends_early_is_still_one_where_the_status_says_so(preset: str) -> None:
    outcome = outcome_with(preset, Answer(200, b"{", {"Content-Length": "100000"}))
    if SERVICES[preset].ok:
        assert isinstance(outcome, Retryable)
        assert outcome.ambiguous
    else:
        assert outcome == Sent(preset, None)


def test_an_answer_without_end_is_read_no_further_than_needed() -> None:
    outcome = outcome_with("discord", Answer.json(200, {"id": "1", "filler": "x" * 10_000_000}))
    assert outcome == Sent("discord", None)


def test_a_preset_that_this_function_does_not_know_is_rejected() -> None:
    delivery = make_delivery("webhook", config={"preset": "irc", "secret_ref": "WEBHOOK_CHAT"})
    assert webhook().send(delivery) == Rejected("http", Reason.UNKNOWN_PRESET, "irc")


def test_every_preset_has_a_service_and_a_stand_in() -> None:
    assert SERVICES.keys() == PRESETS.keys() == chat_services.SERVICES.keys()


def test_each_secret_of_a_service_is_a_receiver_of_its_own() -> None:
    """Rooms of one service share its origin, and one whose webhook was deleted must not stop the others."""
    names = [receiver_of(delivery_with("slack", secret_ref=name)) for name in ("WEBHOOK_A", "WEBHOOK_B", "WEBHOOK_A")]
    assert names[0] == names[2] != names[1]
