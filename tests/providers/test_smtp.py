import asyncio
import email
import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from functions.email.smtp import Smtp
from functions.runtime.provider import Rejected, Sent
from local.processes import free_port
from shared.errors import CredentialsRefused, Retryable
from tests.factories import NOON, make_delivery

SENDER = "Heliograph <hello@heliograph.example>"


class MailServer:
    """A mail server whose replies a test picks; an empty reply means that it hangs up."""

    def __init__(self, mail: str = "250 OK", rcpt: str = "250 OK", data: str = "250 OK") -> None:
        self._replies = {"mail": mail, "rcpt": rcpt, "data": data}
        self.mails: list[Any] = []

    async def handle_MAIL(  # noqa: N802 - the names that aiosmtpd looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        envelope.mail_from = address
        return self._replies["mail"]

    async def handle_RCPT(  # noqa: N802 - likewise
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        envelope.rcpt_tos.append(address)
        return self._replies["rcpt"]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - likewise
        del session
        mail = email.message_from_bytes(envelope.original_content or b"", policy=email.policy.default)
        mail["X-Envelope"] = f"{envelope.mail_from} {envelope.rcpt_tos}"
        self.mails.append(mail)
        if not self._replies["data"]:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return self._replies["data"]


@contextmanager
def serving(server: MailServer) -> Iterator[Smtp]:
    controller = Controller(server, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield Smtp(urlsplit(f"smtp://127.0.0.1:{controller.port}"), SENDER, step_seconds=2)
    finally:
        controller.stop()


def test_an_email_arrives_with_all_that_it_says() -> None:
    server = MailServer()
    delivery = make_delivery()
    message_id = f"<{delivery.key}@heliograph.example>"
    with serving(server) as smtp:
        assert smtp.send(delivery) == Sent("smtp", message_id)
    (mail,) = server.mails
    assert mail["X-Envelope"] == "hello@heliograph.example ['ada@example.com']"
    assert (mail["From"], mail["To"], mail["Subject"]) == (SENDER, "ada@example.com", "Paid")
    assert (mail["Message-ID"], mail["Date"].datetime) == (message_id, NOON)
    parts = {part.get_content_type(): part.get_content().strip() for part in mail.iter_parts()}
    assert parts == {"text/plain": "You paid 10.", "text/html": "<p>You paid <b>10</b>.</p>"}


def test_words_in_any_script_arrive() -> None:
    server = MailServer()
    with serving(server) as smtp:
        smtp.send(make_delivery(content={"subject": "Überwiesen ✓", "text": "你付了 10。\n.\nEnde"}))
    (mail,) = server.mails
    assert (mail["Subject"], mail.get_content().split()) == ("Überwiesen ✓", ["你付了", "10。", ".", "Ende"])


@pytest.mark.parametrize(
    ("server", "rejected"),
    [
        (MailServer(rcpt="550 5.1.1 ada@example.com unknown"), Rejected("smtp", "invalid_address", "SMTP 550")),
        (MailServer(data="552 too big"), Rejected("smtp", "too_large", "SMTP 552")),
        (MailServer(data="554 spam"), Rejected("smtp", "refused", "SMTP 554")),
    ],
)
def test_what_the_server_refuses_for_good_is_rejected(server: MailServer, rejected: Rejected) -> None:
    with serving(server) as smtp:
        assert smtp.send(make_delivery()) == rejected


@pytest.mark.parametrize("address", ["käthe@example.com", "ada@example.com\r\nRCPT TO:<eve@example.com>"])
def test_an_address_that_smtp_cannot_carry_is_rejected(address: str) -> None:
    server = MailServer()
    with serving(server) as smtp:
        answer = smtp.send(make_delivery(recipient=address))
    assert isinstance(answer, Rejected)
    assert (answer.reason, server.mails) == ("invalid_address", [])


@pytest.mark.parametrize(
    ("server", "reason", "ambiguous"),
    [
        (MailServer(rcpt="451 greylisted"), "provider_error", False),
        (MailServer(data="452 full"), "provider_error", False),
        (MailServer(data=""), "timeout", True),
    ],
)
def test_what_may_go_better_later_is_retryable(server: MailServer, reason: str, *, ambiguous: bool) -> None:
    with serving(server) as smtp, pytest.raises(Retryable) as caught:
        smtp.send(make_delivery())
    assert (caught.value.reason, caught.value.ambiguous) == (reason, ambiguous)


def test_a_refused_connection_is_no_ambiguity(nowhere: str) -> None:
    with pytest.raises(Retryable) as caught:
        Smtp(urlsplit(f"smtp://{nowhere}"), SENDER).send(make_delivery())
    assert (caught.value.reason, caught.value.ambiguous) == ("unreachable", False)


def test_a_server_that_wants_us_to_log_in_raises_an_alert() -> None:
    with serving(MailServer(mail="530 5.7.0 Authentication required")) as smtp, pytest.raises(CredentialsRefused):
        smtp.send(make_delivery())


def test_no_password_is_sent_unencrypted() -> None:
    heard: list[object] = []

    def authenticator(*credentials: object) -> AuthResult:
        heard.append(credentials)
        return AuthResult(success=True)

    port = free_port()
    controller = Controller(
        MailServer(), hostname="127.0.0.1", port=port, authenticator=authenticator, auth_require_tls=False
    )
    controller.start()
    try:
        smtp = Smtp(urlsplit(f"smtp://user:secret@127.0.0.1:{port}"), SENDER)
        with pytest.raises(CredentialsRefused):
            smtp.send(make_delivery())
    finally:
        controller.stop()
    assert heard == []
