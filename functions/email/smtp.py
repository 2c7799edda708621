"""Any mail server, over SMTP."""

import contextlib
import smtplib
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import ClassVar, Self
from urllib.parse import SplitResult, unquote, urlsplit

from functions.email.mail import mail_of
from functions.runtime.provider import Rejected, Sent
from functions.runtime.statuses import Alert, Reject, Retry, Verdict, outcome_for, unreachable
from shared.envelope import Delivery
from shared.reasons import Reason

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

    def __init__(self, server: SplitResult, sender: str, step_seconds: float = _STEP_SECONDS) -> None:
        self._server = server
        self._sender = sender
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
        handed_over = False
        try:
            with contextlib.closing(self._connect()) as server:
                _expect_ok(server.mail(parseaddr(self._sender)[1]))
                _expect_ok(server.rcpt(delivery.recipient))
                handed_over = True
                _expect_ok(server.data(mail.as_bytes()))
        except smtplib.SMTPResponseException as error:
            return outcome_for(verdict_of(error.smtp_code), provider=self.name, detail=f"SMTP {error.smtp_code}")
        except smtplib.SMTPNotSupportedError as error:
            return outcome_for(Alert(Reason.CREDENTIALS_REFUSED), provider=self.name, detail=str(error))
        except (OSError, smtplib.SMTPException) as error:
            unreachable(self.name, error, ambiguous=handed_over)
        return Sent(self.name, mail["Message-ID"])

    def _connect(self) -> smtplib.SMTP:
        host, port = self._server.hostname or "", self._server.port or 0
        trusted = ssl.create_default_context()  # smtplib's default accepts any certificate
        if self._server.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=self._step_seconds, context=trusted)
        else:
            server = smtplib.SMTP(host, port, timeout=self._step_seconds)
            server.ehlo()
            if self._server.username or server.has_extn("starttls"):  # never sends a password unencrypted
                server.starttls(context=trusted)
        server.ehlo_or_helo_if_needed()
        if self._server.username:
            server.login(unquote(self._server.username), unquote(self._server.password or ""))
        return server


def verdict_of(code: int) -> Verdict:
    """The verdict on an SMTP reply: 4xx is temporary, 5xx is permanent."""
    return CODES.get(code) or (Reject(Reason.REFUSED) if code >= 500 else Retry(Reason.PROVIDER_ERROR))  # noqa: PLR2004 - SMTP's own limit


def _expect_ok(reply: tuple[int, bytes]) -> None:
    code, text = reply
    if code >= 300:  # noqa: PLR2004 - 2xx is success
        raise smtplib.SMTPResponseException(code, text.decode(errors="replace"))
