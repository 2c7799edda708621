"""One conversation with a mail server (RFC 5321), which hands over one e-mail before a deadline."""

import contextlib
import smtplib
import ssl
import time
from enum import Enum, auto
from urllib.parse import SplitResult, unquote


class Phase(Enum):
    """What the mail server is asked for: its code means something else in each phase."""

    CONNECTION = auto()
    SENDER = auto()
    RECIPIENT = auto()
    CONTENT = auto()


class Conversation:
    """``phase`` is the last phase that began. ``seconds`` limit the whole, and ``step_seconds`` each reply."""

    def __init__(self, server: SplitResult, seconds: float, step_seconds: float) -> None:
        self.phase = Phase.CONNECTION
        self._url = server
        self._ends_at = time.monotonic() + seconds
        self._step_seconds = step_seconds

    def hand_over(self, sender: str, recipient: str, mail: bytes) -> None:
        """Raises ``smtplib.SMTPException`` or ``OSError``."""
        with contextlib.closing(self._connect()) as server:
            self._greet(server)
            self._begin(Phase.SENDER, server)
            _expect_ok(server.mail(sender))
            self._begin(Phase.RECIPIENT, server)
            _expect_ok(server.rcpt(recipient))
            self._begin(Phase.CONTENT, server)
            _expect_ok(server.data(mail))

    def _connect(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "", self._url.port or 0
        if self._url.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=self._seconds_left(), context=ssl.create_default_context())
        return smtplib.SMTP(host, port, timeout=self._seconds_left())

    def _greet(self, server: smtplib.SMTP) -> None:
        """Say hello, encrypt and log in, as far as the URL and the server ask for it."""
        self._begin(Phase.CONNECTION, server)
        server.ehlo_or_helo_if_needed()
        encrypted = isinstance(server, smtplib.SMTP_SSL)
        if not encrypted and (self._url.username or server.has_extn("starttls")):  # no password goes unencrypted
            self._begin(Phase.CONNECTION, server)
            server.starttls(context=ssl.create_default_context())  # smtplib's default accepts any certificate
            self._begin(Phase.CONNECTION, server)
            server.ehlo()
        if self._url.username:
            self._begin(Phase.CONNECTION, server)
            server.login(unquote(self._url.username), unquote(self._url.password or ""))

    def _begin(self, phase: Phase, server: smtplib.SMTP) -> None:
        seconds = self._seconds_left()
        if server.sock is not None:  # None after the server hung up; the next command then says so
            server.sock.settimeout(seconds)
        self.phase = phase

    def _seconds_left(self) -> float:
        """How long the next step may take. Raises ``TimeoutError`` after the deadline."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("The mail server is too slow: no time is left for the next step.")
        return min(left, self._step_seconds)


def _expect_ok(reply: tuple[int, bytes]) -> None:
    code, text = reply
    if code >= 300:  # noqa: PLR2004 - 2xx is success
        raise smtplib.SMTPResponseException(code, text.decode(errors="replace"))
