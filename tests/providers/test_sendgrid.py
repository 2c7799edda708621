import pytest

from functions.runtime.provider import Rejected, Sent
from shared.errors import CredentialsRefused, Retryable
from shared.reasons import Reason
from tests.factories import make_delivery
from tests.providers.adapters import sendgrid
from tests.providers.server import HANG_UP, Answer, ScriptedServer

ACCEPTED = Answer(202, headers={"X-Message-Id": "sg-1"})


def error(status: int, message: str, field: str | None = None) -> Answer:
    return Answer.json(status, {"errors": [{"message": message, "field": field, "help": None}]})


def test_request_contains_the_email_and_the_ids_of_the_delivery(server: ScriptedServer) -> None:
    server.answers = [ACCEPTED]
    delivery = make_delivery()
    assert sendgrid(server.url).send(delivery) == Sent("sendgrid", "sg-1")
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.headers["Authorization"]) == ("POST", "/v3/mail/send", "Bearer SG.key")
    assert asked.json == {
        "personalizations": [
            {
                "to": [{"email": "ada@example.com"}],
                "custom_args": {"notification_id": delivery.notification_id, "delivery_id": delivery.delivery_id},
            }
        ],
        "from": {"email": "hello@heliograph.example", "name": "Heliograph"},
        "subject": "Paid",
        "content": [
            {"type": "text/plain", "value": "You paid 10."},
            {"type": "text/html", "value": "<p>You paid <b>10</b>.</p>"},
        ],
    }


def test_email_without_html_has_a_text_part_only(server: ScriptedServer) -> None:
    server.answers = [ACCEPTED]
    sendgrid(server.url).send(make_delivery(content={"subject": "Paid", "text": "You paid 10."}))
    assert [part["type"] for part in server.asked[0].json["content"]] == ["text/plain"]


def test_config_of_the_channel_names_another_sender_and_where_answers_go(server: ScriptedServer) -> None:
    server.answers = [ACCEPTED]
    sender = {"from": '"News, daily" <news@heliograph.example>', "reply_to": "help@heliograph.example"}
    sendgrid(server.url).send(make_delivery(config={"sender": sender}))
    sendgrid(server.url).send(make_delivery(config={"sender": {"reply_to": "help@heliograph.example"}}))
    first, second = (asked.json for asked in server.asked)
    assert first["from"] == {"email": "news@heliograph.example", "name": "News, daily"}
    assert first["reply_to"] == second["reply_to"] == {"email": "help@heliograph.example"}
    assert second["from"] == {"email": "hello@heliograph.example", "name": "Heliograph"}


@pytest.mark.parametrize(
    ("answer", "rejected"),
    [
        (
            error(400, "ada@example.com is not valid.", "personalizations.0.to.0.email"),
            Rejected("sendgrid", Reason.INVALID_ADDRESS, "*** is not valid."),
        ),
        (error(400, "Too many.", "personalizations"), Rejected("sendgrid", Reason.BAD_REQUEST, "Too many.")),
        (Answer(413), Rejected("sendgrid", Reason.TOO_LARGE)),
        (Answer(415, b"<html>"), Rejected("sendgrid", Reason.REFUSED)),
    ],
)
def test_permanent_refusal_is_rejected_without_the_address(
    server: ScriptedServer, answer: Answer, rejected: Rejected
) -> None:
    server.answers = [answer]
    assert sendgrid(server.url).send(make_delivery()) == rejected


def test_malformed_sender_is_an_alert_and_no_fault_of_the_recipient(server: ScriptedServer) -> None:
    server.answers = [error(400, "The from email does not contain a valid address.", "from.email")]
    with pytest.raises(CredentialsRefused, match="from email") as caught:
        sendgrid(server.url).send(make_delivery())
    assert caught.value.reason == Reason.SENDER_REFUSED


def test_404_is_about_our_configuration_and_no_fault_of_the_recipient(server: ScriptedServer) -> None:
    server.answers = [Answer(404, b"<html>")]
    with pytest.raises(CredentialsRefused) as caught:
        sendgrid(server.url).send(make_delivery())
    assert caught.value.reason == Reason.SENDER_REFUSED


def test_unverified_sender_is_reported_as_refused_credentials(server: ScriptedServer) -> None:
    server.answers = [error(403, "The from address does not match a verified Sender Identity.")]
    with pytest.raises(CredentialsRefused):
        sendgrid(server.url).send(make_delivery())


@pytest.mark.parametrize(
    ("answer", "reason", "ambiguous"),
    [
        (Answer(500), Reason.PROVIDER_ERROR, True),
        (Answer(502, b"<html>"), Reason.PROVIDER_ERROR, True),
        (Answer(503, b"<html>"), Reason.PROVIDER_ERROR, False),
        (Answer(504), Reason.TIMEOUT, True),
        (HANG_UP, Reason.TIMEOUT, True),
    ],
)
def test_temporary_failure_is_retryable_and_not_repeated_by_the_sdk(
    server: ScriptedServer, answer: Answer, reason: Reason, *, ambiguous: bool
) -> None:
    server.answers = [answer]
    with pytest.raises(Retryable) as caught:
        sendgrid(server.url).send(make_delivery())
    assert (caught.value.reason, caught.value.ambiguous, len(server.asked)) == (reason, ambiguous, 1)
