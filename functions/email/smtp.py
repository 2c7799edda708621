"""Any mail server, over SMTP."""

import smtplib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import ClassVar, Self
from urllib.parse import SplitResult, urlsplit

from functions.email.conversation import Conversation, Phase
from functions.email.mail import mail_of
from functions.runtime.provider import Rejected, Sent
from functions.runtime.statuses import Alert, Reject, Retry, Verdict, outcome_for, unreachable
from shared.envelope import Delivery
from shared.reasons import Reason

_SECONDS = 18.0
_STEP_SECONDS = 8.0
CODES: Mapping[int, Verdict] = {
    530: Alert(Reason.CREDENTIALS_REFUSED),
    534: Alert(Reason.CREDENTIALS_REFUSED),
    535: Alert(Reason.CREDENTIALS_REFUSED),
    550: Reject(Reason.INVALID_ADDRESS),
    551: Reject(Reason.INVALID_ADDRESS),
    552: Reject(Reason.TOO_LARGE),
    553: Reject(Reason.INVALID_ADDRESS),
}


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
        mail = mail_of(delivery, self._sender, datetime.now(UTC))
        conversation = Conversation(self._server, self._seconds, self._step_seconds)
        try:
            conversation.hand_over(parseaddr(self._sender)[1], delivery.recipient, mail.as_bytes())
        except smtplib.SMTPResponseException as error:
            return outcome_for(verdict_of(error.smtp_code), provider=self.name, detail=f"SMTP {error.smtp_code}")
        except smtplib.SMTPNotSupportedError as error:
            return outcome_for(Alert(Reason.CREDENTIALS_REFUSED), provider=self.name, detail=str(error))
        except (OSError, smtplib.SMTPException) as error:
            unreachable(self.name, error, ambiguous=conversation.phase is Phase.CONTENT)
        return Sent(self.name, mail["Message-ID"])


def verdict_of(code: int) -> Verdict:
    """The verdict on an SMTP reply: 4xx is temporary, 5xx is permanent."""
    return CODES.get(code) or (Reject(Reason.REFUSED) if code >= 500 else Retry(Reason.PROVIDER_ERROR))  # noqa: PLR2004 - SMTP's own limit
