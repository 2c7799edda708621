import pytest
from sendgrid import SendGridAPIClient

from functions.email.sendgrid import SendGrid
from functions.runtime.provider import Rejected, Sent
from shared.errors import CredentialsRefused, Retryable, Undecodable
from tests.factories import make_delivery
from tests.providers.server import HANG_UP, SILENCE, Answer, ScriptedServer

ACCEPTED = Answer(202, headers={"X-Message-Id": "sg-1"})


def sendgrid(url: str) -> SendGrid:
    return SendGrid(SendGridAPIClient("SG.key", host=url), "Heliograph <hello@heliograph.example>", timeout_seconds=0.5)


def error(status: int, message: str, field: str | None = None) -> Answer:
    return Answer.json(status, {"errors": [{"message": message, "field": field, "help": None}]})


def test_an_email_is_sent_with_all_that_it_says(server: ScriptedServer) -> None:
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


def test_an_email_without_html_is_plain(server: ScriptedServer) -> None:
    server.answers = [ACCEPTED]
    sendgrid(server.url).send(make_delivery(content={"subject": "Paid", "text": "You paid 10."}))
    assert [part["type"] for part in server.asked[0].json["content"]] == ["text/plain"]


@pytest.mark.parametrize(
    ("answer", "rejected"),
    [
        (
            error(400, "ada@example.com is not valid.", "personalizations.0.to.0.email"),
            Rejected("sendgrid", "invalid_address", "*** is not valid."),
        ),
        (error(400, "Too many.", "personalizations"), Rejected("sendgrid", "bad_request", "Too many.")),
        (Answer(413), Rejected("sendgrid", "too_large")),
        (Answer(404, b"<html>"), Rejected("sendgrid", "refused")),
    ],
)
def test_what_sendgrid_refuses_for_good_is_rejected(server: ScriptedServer, answer: Answer, rejected: Rejected) -> None:
    server.answers = [answer]
    assert sendgrid(server.url).send(make_delivery()) == rejected


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_no_answer_about_the_email(server: ScriptedServer, status: int) -> None:
    server.answers = [error(status, "The provided authorization grant is invalid")]
    with pytest.raises(CredentialsRefused):
        sendgrid(server.url).send(make_delivery())


@pytest.mark.parametrize(
    ("answer", "reason", "ambiguous"),
    [
        (Answer(429), "rate_limited", False),
        (Answer(500), "provider_error", False),
        (Answer(503, b"<html>"), "provider_error", False),
        (Answer(504), "timeout", True),
        (SILENCE, "timeout", True),
        (HANG_UP, "timeout", True),
    ],
)
def test_what_may_go_better_later_is_retryable_and_asked_once(
    server: ScriptedServer, answer: Answer, reason: str, *, ambiguous: bool
) -> None:
    server.answers = [answer]
    with pytest.raises(Retryable) as caught:
        sendgrid(server.url).send(make_delivery())
    assert (caught.value.reason, caught.value.ambiguous, len(server.asked)) == (reason, ambiguous, 1)


def test_a_refused_connection_is_no_ambiguity(nowhere: str) -> None:
    with pytest.raises(Retryable) as caught:
        sendgrid(f"http://{nowhere}").send(make_delivery())
    assert (caught.value.reason, caught.value.ambiguous) == ("unreachable", False)


def test_content_of_another_shape_is_undecodable(server: ScriptedServer) -> None:
    with pytest.raises(Undecodable):
        sendgrid(server.url).send(make_delivery(content={"text": "no subject"}))
    assert server.asked == []
