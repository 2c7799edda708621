import logging

import pytest

from functions.runtime.provider import Rejected, Sent
from functions.sms.twilio import Twilio
from shared.errors import CredentialsRefused, Retryable
from tests.factories import make_delivery
from tests.providers.server import HANG_UP, SILENCE, Answer, ScriptedServer

ACCEPTED = Answer.json(201, {"sid": "SM1", "status": "queued"})


def twilio(url: str, sender: str = "+15005550000") -> Twilio:
    environ = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t", "TWILIO_FROM": sender, "TWILIO_URL": url}
    return Twilio.from_env(environ, timeout_seconds=0.5)


def error(status: int, code: int) -> Answer:
    return Answer.json(status, {"status": status, "code": code, "message": "+15005550006 is at fault"})


def test_a_text_is_sent_with_all_that_it_says(server: ScriptedServer) -> None:
    server.answers = [ACCEPTED]
    assert twilio(server.url).send(make_delivery("sms")) == Sent("twilio", "SM1")
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
    assert asked.form == {"To": ["+15005550006"], "From": ["+15005550000"], "Body": ["You paid 10."]}


def test_a_messaging_service_can_be_the_sender(server: ScriptedServer) -> None:
    server.answers = [ACCEPTED]
    twilio(server.url, "MG1").send(make_delivery("sms"))
    assert server.asked[0].form["MessagingServiceSid"] == ["MG1"]


@pytest.mark.parametrize(
    ("code", "reason", "suppress"),
    [
        (21211, "invalid_number", False),
        (21614, "invalid_number", False),
        (21610, "opted_out", True),
        (21408, "region_not_enabled", False),
        (21602, "refused", False),
    ],
)
def test_what_twilio_refuses_for_good_is_rejected_without_the_number(
    server: ScriptedServer, code: int, reason: str, *, suppress: bool
) -> None:
    server.answers = [error(400, code)]
    assert twilio(server.url).send(make_delivery("sms")) == Rejected("twilio", reason, f"Twilio {code}", suppress)


@pytest.mark.parametrize(("status", "code"), [(401, 20003), (403, 20005)])
def test_refused_credentials_are_no_answer_about_the_text(server: ScriptedServer, status: int, code: int) -> None:
    server.answers = [error(status, code)]
    with pytest.raises(CredentialsRefused):
        twilio(server.url).send(make_delivery("sms"))


@pytest.mark.parametrize(
    ("answer", "reason", "ambiguous"),
    [
        (error(429, 20429), "rate_limited", False),
        (error(400, 20429), "rate_limited", False),
        (error(503, 20503), "provider_error", False),
        (Answer(502, b"<html>"), "provider_error", False),
        (SILENCE, "timeout", True),
        (HANG_UP, "timeout", True),
    ],
)
def test_what_may_go_better_later_is_retryable_and_asked_once(
    server: ScriptedServer, answer: Answer, reason: str, *, ambiguous: bool
) -> None:
    server.answers = [answer]
    with pytest.raises(Retryable) as caught:
        twilio(server.url).send(make_delivery("sms"))
    assert (caught.value.reason, caught.value.ambiguous, len(server.asked)) == (reason, ambiguous, 1)


def test_a_refused_connection_is_no_ambiguity(nowhere: str) -> None:
    with pytest.raises(Retryable) as caught:
        twilio(f"http://{nowhere}").send(make_delivery("sms"))
    assert (caught.value.reason, caught.value.ambiguous) == ("unreachable", False)


def test_the_sdk_logs_nothing(server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    server.answers = [ACCEPTED]
    twilio(server.url).send(make_delivery("sms"))
    assert [record.message for record in caplog.records if record.levelno < logging.WARNING] == []
