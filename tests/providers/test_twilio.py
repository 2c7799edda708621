import logging

import pytest

from functions.runtime.provider import Rejected, Sent
from shared.errors import CredentialsRefused, Retryable
from shared.reasons import Reason
from tests.factories import make_delivery
from tests.providers.adapters import twilio
from tests.providers.server import HANG_UP, Answer, ScriptedServer

SERVICE = "MG" + 16 * "0f"
ACCEPTED = Answer.json(201, {"sid": "SM1", "status": "queued"})


def error(status: int, code: int) -> Answer:
    return Answer.json(status, {"status": status, "code": code, "message": "+15005550006 is not a valid number"})


def test_request_contains_the_number_the_sender_and_the_text(server: ScriptedServer) -> None:
    server.answers = [ACCEPTED]
    assert twilio(server.url).send(make_delivery("sms")) == Sent("twilio", "SM1")
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
    assert asked.form == {"To": ["+15005550006"], "From": ["+15005550000"], "Body": ["You paid 10."]}


def test_sender_can_be_a_messaging_service(server: ScriptedServer) -> None:
    server.answers = [ACCEPTED]
    twilio(server.url, SERVICE).send(make_delivery("sms"))
    assert server.asked[0].form["MessagingServiceSid"] == [SERVICE]


@pytest.mark.parametrize(
    ("sender", "field"),
    [("+15005550009", "From"), ("MGM News", "From"), ("12345", "From"), (SERVICE, "MessagingServiceSid")],
)
def test_config_of_the_channel_names_another_sender(server: ScriptedServer, sender: str, field: str) -> None:
    server.answers = [ACCEPTED]
    twilio(server.url).send(make_delivery("sms", config={"sender": sender}))
    assert {name: values for name, values in server.asked[0].form.items() if name not in ("To", "Body")} == {
        field: [sender]
    }


@pytest.mark.parametrize(
    ("code", "reason", "suppress"),
    [
        (21211, Reason.INVALID_NUMBER, False),
        (21614, Reason.INVALID_NUMBER, False),
        (21610, Reason.OPTED_OUT, True),
        (21612, Reason.UNREACHABLE_NUMBER, False),
        (21617, Reason.TOO_LARGE, False),
        (21602, Reason.REFUSED, False),
    ],
)
def test_permanent_refusal_is_rejected_without_the_number(
    server: ScriptedServer, code: int, reason: Reason, *, suppress: bool
) -> None:
    server.answers = [error(400, code)]
    assert twilio(server.url).send(make_delivery("sms")) == Rejected("twilio", reason, f"Twilio {code}", suppress)


def test_suspended_account_is_reported_as_refused_credentials(server: ScriptedServer) -> None:
    server.answers = [error(403, 20005)]
    with pytest.raises(CredentialsRefused):
        twilio(server.url).send(make_delivery("sms"))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (20404, Reason.SENDER_REFUSED),
        (21212, Reason.SENDER_REFUSED),
        (21408, Reason.REGION_NOT_ENABLED),
        (21601, Reason.SENDER_REFUSED),
        (21603, Reason.SENDER_REFUSED),
        (21606, Reason.SENDER_REFUSED),
        (21607, Reason.SENDER_REFUSED),
        (21608, Reason.SENDER_REFUSED),
        (21611, Reason.QUEUE_FULL),
        (21616, Reason.SENDER_REFUSED),
        (21659, Reason.SENDER_REFUSED),
        (21660, Reason.SENDER_REFUSED),
        (21661, Reason.SENDER_REFUSED),
        (21701, Reason.SENDER_REFUSED),
        (21705, Reason.SENDER_REFUSED),
    ],
)
def test_fault_of_our_sender_account_or_queue_is_an_alert_and_no_fault_of_the_number(
    server: ScriptedServer, code: int, reason: Reason
) -> None:
    server.answers = [error(404 if code == 20404 else 400, code)]
    with pytest.raises(CredentialsRefused) as caught:
        twilio(server.url).send(make_delivery("sms"))
    assert (caught.value.reason, caught.value.detail) == (reason, f"Twilio {code}")


def test_404_without_a_code_is_about_our_configuration_and_no_fault_of_the_number(server: ScriptedServer) -> None:
    server.answers = [Answer(404, b"<html>")]
    with pytest.raises(CredentialsRefused) as caught:
        twilio(server.url).send(make_delivery("sms"))
    assert caught.value.reason == Reason.SENDER_REFUSED


@pytest.mark.parametrize(
    ("answer", "reason", "ambiguous"),
    [
        (error(400, 20429), Reason.RATE_LIMITED, False),
        (error(500, 20500), Reason.PROVIDER_ERROR, True),
        (Answer(502, b"<html>"), Reason.PROVIDER_ERROR, True),
        (error(503, 20503), Reason.PROVIDER_ERROR, False),
        (HANG_UP, Reason.TIMEOUT, True),
    ],
)
def test_temporary_failure_is_retryable_and_not_repeated_by_the_sdk(
    server: ScriptedServer, answer: Answer, reason: Reason, *, ambiguous: bool
) -> None:
    server.answers = [answer]
    with pytest.raises(Retryable) as caught:
        twilio(server.url).send(make_delivery("sms"))
    assert (caught.value.reason, caught.value.ambiguous, len(server.asked)) == (reason, ambiguous, 1)


def test_sdk_logs_no_request(server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    server.answers = [ACCEPTED]
    twilio(server.url).send(make_delivery("sms"))
    assert [record.message for record in caplog.records if record.levelno < logging.WARNING] == []
