"""What the answers of the chat services behind the presets mean for a delivery."""

from functools import partial

import pytest

from functions.runtime.provider import Rejected, Sent
from functions.webhook.services import SERVICES
from shared.errors import Retryable
from shared.reasons import Reason
from shared.webhook_presets import PRESETS
from tests.providers.chat_services import delivery_with, provider_at, running, text_answer
from tests.providers.server import HANG_UP, SILENCE, Answer


def outcome_with(preset: str, answer: Answer) -> Sent | Rejected | Retryable:
    with running(preset) as service:
        service.answers = [answer]
        try:
            return provider_at(service, preset).send(delivery_with(preset))
        except Retryable as error:
            assert len(service.asked) == 1
            return error


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


@pytest.mark.parametrize("preset", PRESETS)
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
