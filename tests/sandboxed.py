"""Runs the sandbox as a process, for tests of the sandbox itself."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.processes import Child, answers, free_port

SENDGRID_KEY = "SG.of-the-tests"
TWILIO = ("AC0123456789", "token-of-the-tests")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_READY_SECONDS = 20


@contextmanager
def running_sandbox(directory: Path) -> Iterator[str]:
    """Run a sandbox with the credentials above during the block; yields its URL. Its log is in ``directory``."""
    port = free_port()
    environment = {
        "PORT": str(port),
        "SENDGRID_API_KEY": SENDGRID_KEY,
        "TWILIO_ACCOUNT_SID": TWILIO[0],
        "TWILIO_AUTH_TOKEN": TWILIO[1],
        "WEBHOOK_SIGNING_SECRET": SECRET,
    }
    argv = [sys.executable, "-m", "local.sandbox"]
    child = Child.start("sandbox", argv, log=directory / "sandbox.log", env=os.environ | environment)
    try:
        child.wait_ready(lambda: answers(f"http://127.0.0.1:{port}/health"), _READY_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.stop()


def an_email(to: str = "ada@example.com", subject: str = "Hello", html: str | None = None) -> dict[str, object]:
    """The body of a request to SendGrid."""
    content = [{"type": "text/plain", "value": "Hello, Ada."}]
    if html is not None:
        content.append({"type": "text/html", "value": html})
    sender = {"email": "hello@heliograph.test", "name": "Heliograph"}
    return {"personalizations": [{"to": [{"email": to}]}], "from": sender, "subject": subject, "content": content}
