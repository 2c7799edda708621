from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiosmtpd.smtp import AuthResult

from functions.email.smtp import Smtp
from functions.runtime.provider import Rejected, Sent
from shared.errors import CredentialsRefused, Retryable
from shared.reasons import Reason
from tests.factories import make_delivery
from tests.providers.adapters import SENDER, TIMEOUT_SECONDS, smtp
from tests.providers.mail_server import HANG_UP, MailServer, greeting_with, serving


def test_email_arrives_with_its_headers_and_parts() -> None:
    server = MailServer()
    delivery = make_delivery()
    before = datetime.now(UTC).replace(microsecond=0)
    message_id = f"<{delivery.key}@heliograph.example>"
    with serving(server) as address:
        assert smtp(address).send(delivery) == Sent("smtp", message_id)
    (mail,) = server.mails
    assert mail["X-Envelope"] == "hello@heliograph.example ['ada@example.com']"
    assert (mail["From"], mail["To"], mail["Subject"]) == (SENDER, "ada@example.com", "Paid")
    assert mail["Message-ID"] == message_id
    assert before <= mail["Date"].datetime <= datetime.now(UTC)
    parts = {part.get_content_type(): part.get_content().strip() for part in mail.iter_parts()}
    assert parts == {"text/plain": "You paid 10.", "text/html": "<p>You paid <b>10</b>.</p>"}


def test_subject_and_text_in_any_script_arrive() -> None:
    server = MailServer()
    with serving(server) as address:
        smtp(address).send(make_delivery(content={"subject": "Überwiesen ✓", "text": "你付了 10。\n.\nEnde"}))
    (mail,) = server.mails
    assert (mail["Subject"], mail.get_content().split()) == ("Überwiesen ✓", ["你付了", "10。", ".", "Ende"])


def test_config_of_the_channel_names_another_sender_and_where_answers_go() -> None:
    server = MailServer()
    sender = {"from": "Zoë <news@news.example>", "reply_to": "help@news.example"}
    delivery = make_delivery(config={"sender": sender})
    with serving(server) as address:
        assert smtp(address).send(delivery) == Sent("smtp", f"<{delivery.key}@news.example>")
    (mail,) = server.mails
    assert (mail["From"], mail["Reply-To"]) == ("Zoë <news@news.example>", "help@news.example")
    assert mail["X-Envelope"] == "news@news.example ['ada@example.com']"


@pytest.mark.parametrize(
    ("server", "rejected"),
    [
        (MailServer(rcpt="550 5.1.1 ada@example.com unknown"), (Reason.INVALID_ADDRESS, "SMTP 550 in phase RECIPIENT")),
        (MailServer(rcpt="553 no such mailbox"), (Reason.INVALID_ADDRESS, "SMTP 553 in phase RECIPIENT")),
        (MailServer(data="550 5.7.1 spam"), (Reason.REFUSED, "SMTP 550 in phase CONTENT")),
        (MailServer(data="552 too big"), (Reason.TOO_LARGE, "SMTP 552 in phase CONTENT")),
        (MailServer(data="554 spam"), (Reason.REFUSED, "SMTP 554 in phase CONTENT")),
    ],
)
def test_permanent_refusal_is_rejected(server: MailServer, rejected: tuple[Reason, str]) -> None:
    with serving(server) as address:
        assert smtp(address).send(make_delivery()) == Rejected("smtp", *rejected)


def test_content_that_cannot_be_written_as_a_mail_is_rejected_and_not_sent() -> None:
    server = MailServer()
    with serving(server) as address:
        answer = smtp(address).send(make_delivery(content={"subject": "Paid", "text": "half of a pair: \ud800"}))
    assert (answer, server.attempts) == (Rejected("smtp", Reason.UNWRITABLE, "UnicodeEncodeError"), 0)


@pytest.mark.parametrize("recipient", ["käthe@example.com", "ada@example.com\r\nRCPT TO:<eve@example.com>"])
def test_address_that_smtp_cannot_carry_is_rejected(recipient: str) -> None:
    server = MailServer()
    with serving(server) as address:
        answer = smtp(address).send(make_delivery(recipient=recipient))
    assert isinstance(answer, Rejected)
    assert (answer.reason, server.mails) == (Reason.INVALID_ADDRESS, [])


@pytest.mark.parametrize(
    ("server", "reason", "ambiguous"),
    [
        (MailServer(rcpt="451 greylisted"), Reason.PROVIDER_ERROR, False),
        (MailServer(rcpt="552 mailbox full"), Reason.PROVIDER_ERROR, False),
        (MailServer(data="452 full"), Reason.PROVIDER_ERROR, False),
        (MailServer(data=HANG_UP), Reason.TIMEOUT, True),
    ],
)
def test_temporary_failure_is_retryable(server: MailServer, reason: Reason, *, ambiguous: bool) -> None:
    with serving(server) as address, pytest.raises(Retryable) as caught:
        smtp(address).send(make_delivery())
    assert (caught.value.reason, caught.value.ambiguous) == (reason, ambiguous)


def test_server_that_is_slow_at_each_step_is_given_up_before_it_has_the_email() -> None:
    slow = MailServer(pause=0.9 * TIMEOUT_SECONDS)
    with serving(slow) as address, pytest.raises(Retryable) as caught:
        Smtp(urlsplit(f"smtp://{address}"), SENDER, seconds=TIMEOUT_SECONDS, step_seconds=TIMEOUT_SECONDS).send(
            make_delivery()
        )
    assert (caught.value.reason, caught.value.ambiguous, slow.mails) == (Reason.UNREACHABLE, False, [])


def test_server_that_requires_a_login_raises_an_alert() -> None:
    refusing = MailServer(mail="530 5.7.0 Authentication required")
    with serving(refusing) as address, pytest.raises(CredentialsRefused):
        smtp(address).send(make_delivery())


@pytest.mark.parametrize(
    "reply", ["550 5.7.1 Sender denied", "553 5.1.8 Sender unknown", "554 5.7.1 Blocked", "501 no"]
)
def test_refused_sender_is_an_alert_and_no_fault_of_the_recipient(reply: str) -> None:
    with serving(MailServer(mail=reply)) as address, pytest.raises(CredentialsRefused) as caught:
        smtp(address).send(make_delivery())
    assert (caught.value.reason, caught.value.detail) == (Reason.SENDER_REFUSED, f"SMTP {reply[:3]} in phase SENDER")


@pytest.mark.parametrize(
    "reply",
    [
        "553 5.7.1 <hello@heliograph.example>: Sender address rejected: not owned by user",
        "550 5.1.8 <hello@heliograph.example>: Sender address rejected: Domain not found",
        "554 5.7.1 <ada@example.com>: Relay access denied",
        "550-5.7.1 Our mail server may not relay.\r\n550 5.7.1 See the handbook.",
    ],
)
def test_recipient_refused_because_of_our_sender_or_host_is_an_alert_and_no_fault_of_the_recipient(reply: str) -> None:
    with serving(MailServer(rcpt=reply)) as address, pytest.raises(CredentialsRefused) as caught:
        smtp(address).send(make_delivery())
    assert (caught.value.reason, caught.value.detail) == (Reason.SENDER_REFUSED, f"SMTP {reply[:3]} in phase RECIPIENT")


def test_server_that_refuses_our_connection_is_an_alert() -> None:
    with greeting_with("554 5.7.1 Your address is on a list") as address, pytest.raises(CredentialsRefused) as caught:
        smtp(address).send(make_delivery())
    assert caught.value.reason == Reason.SENDER_REFUSED


def test_server_that_is_busy_is_retryable() -> None:
    with greeting_with("421 4.3.2 Too many connections") as address, pytest.raises(Retryable) as caught:
        smtp(address).send(make_delivery())
    assert (caught.value.reason, caught.value.ambiguous) == (Reason.PROVIDER_ERROR, False)


def test_password_is_never_sent_unencrypted() -> None:
    received: list[Any] = []

    def authenticator(*credentials: object) -> AuthResult:
        received.append(credentials)
        return AuthResult(success=True)

    with (
        serving(MailServer(), authenticator=authenticator, auth_require_tls=False) as address,
        pytest.raises(CredentialsRefused),
    ):
        smtp(f"user:secret@{address}").send(make_delivery())
    assert received == []
