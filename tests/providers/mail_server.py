"""A real mail server whose replies a test sets."""

import asyncio
import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from local.processes import free_port

HANG_UP = "hang up"
SILENCE = "silence"
_SILENT_SECONDS = 1.5


@dataclass
class MailServer:
    """``mail``, ``rcpt`` and ``data`` are its replies to these commands, the first two after ``pause`` seconds.

    ``data`` can also be ``HANG_UP`` or ``SILENCE``: the server takes the e-mail and does not reply.
    """

    mail: str = "250 OK"
    rcpt: str = "250 OK"
    data: str = "250 OK"
    mails: list[Any] = field(default_factory=list)
    attempts: int = 0
    pause: float = 0

    async def handle_MAIL(  # noqa: N802 - the name that aiosmtpd looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        self.attempts += 1
        await asyncio.sleep(self.pause)
        envelope.mail_from = address
        return self.mail

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        envelope.rcpt_tos.append(address)
        await asyncio.sleep(self.pause)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the name that aiosmtpd looks for
        del session
        mail = email.message_from_bytes(envelope.original_content or b"", policy=email.policy.default)
        mail["X-Envelope"] = f"{envelope.mail_from} {envelope.rcpt_tos}"
        self.mails.append(mail)
        if self.data == HANG_UP:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        if self.data == SILENCE:
            await asyncio.sleep(_SILENT_SECONDS)
        return self.data


@contextmanager
def serving(server: MailServer, **options: Any) -> Iterator[str]:
    """Runs ``server`` on a free port of this machine; yields its address. ``options`` are aiosmtpd's."""
    controller = Controller(server, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield f"127.0.0.1:{controller.port}"
    finally:
        controller.stop()


@contextmanager
def greeting_with(reply: str) -> Iterator[str]:
    """A mail server that greets with ``reply`` and hangs up; yields its address. aiosmtpd can only greet with 220."""

    class Greeting(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(f"{reply}\r\n".encode())

    with socketserver.TCPServer(("127.0.0.1", 0), Greeting) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
