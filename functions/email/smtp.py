"""Any mail server, over SMTP."""

import smtplib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import ClassVar, Self
from urllib.parse import SplitResult, urlsplit

from functions.email.conversation import Conversation, Phase
from functions.email.mail import mail_of
from functions.email.sender import sender_of
from functions.email.verdicts import verdict_of
from functions.runtime.provider import Rejected, Sent
from functions.runtime.statuses import Alert, outcome_for, unreachable
from shared.envelope import Delivery
from shared.reasons import Reason

_SECONDS = 18.0
_STEP_SECONDS = 8.0


class Smtp:
    """One connection for each e-mail: servers close idle connections, and a send on a closed one would be ambiguous."""

    name = "smtp"
    required: ClassVar[tuple[str, ...]] = ("EMAIL_FROM",)
    longest_send_seconds: ClassVar[float] = 20.0

    def __init__(
        self, server: SplitResult, sender: str, seconds: float = _SECONDS, step_seconds: float = _STEP_SECONDS
    ) -> None:
        self._server = server
        self._sender = sender
        self._seconds = seconds
        self._step_seconds = step_seconds

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self | None:
        """``SMTP_URL`` is ``smtp://user:password@host:port``, or ``smtps://…``; None without it."""
        url = environ.get("SMTP_URL")
        return cls(urlsplit(url), environ["EMAIL_FROM"]) if url else None

    def send(self, delivery: Delivery) -> Sent | Rejected:
        if not (delivery.recipient.isascii() and delivery.recipient.isprintable()):
            return Rejected(self.name, Reason.INVALID_ADDRESS, "SMTP without extensions carries ASCII only.")
        sender = sender_of(delivery, self._sender)
        try:
            mail = mail_of(delivery, sender, datetime.now(UTC))
            written = mail.as_bytes()
        except ValueError as error:  # before anything is sent, and the same at every attempt
            return Rejected(self.name, Reason.UNWRITABLE, type(error).__name__)
        conversation = Conversation(self._server, self._seconds, self._step_seconds)
        try:
            conversation.hand_over(parseaddr(sender.address)[1], delivery.recipient, written)
        except smtplib.SMTPResponseException as error:
            verdict = verdict_of(conversation.phase, error.smtp_code, str(error.smtp_error))
            detail = f"SMTP {error.smtp_code} in phase {conversation.phase.name}"
            return outcome_for(verdict, provider=self.name, detail=detail)
        except smtplib.SMTPNotSupportedError as error:
            return outcome_for(Alert(Reason.CREDENTIALS_REFUSED), provider=self.name, detail=str(error))
        except (OSError, smtplib.SMTPException) as error:
            unreachable(self.name, error, ambiguous=conversation.phase is Phase.CONTENT)
        return Sent(self.name, mail["Message-ID"])
