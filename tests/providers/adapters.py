"""The real adapters, built to talk to a server of a test, with short timeouts."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import firebase_admin
import pytest
from firebase_admin import messaging
from google.auth.credentials import AnonymousCredentials, Credentials

from functions.email.sendgrid import SendGrid
from functions.email.smtp import Smtp
from functions.push.fcm import Fcm
from functions.sms.twilio import Twilio
from functions.webhook.http import Http

TIMEOUT_SECONDS = 0.5
SENDER = "Heliograph <hello@heliograph.example>"
SIGNING_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"
ANONYMOUS = AnonymousCredentials()  # type: ignore[no-untyped-call] # the library has no types


def sendgrid(url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> SendGrid:
    return SendGrid(url, "SG.key", SENDER, timeout_seconds)


def smtp(address: str) -> Smtp:
    return Smtp(urlsplit(f"smtp://{address}"), SENDER, seconds=2 * TIMEOUT_SECONDS, step_seconds=TIMEOUT_SECONDS)


def twilio(url: str, sender: str = "+15005550000", timeout_seconds: float = TIMEOUT_SECONDS) -> Twilio:
    environ = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t", "TWILIO_FROM": sender, "TWILIO_URL": url}
    return Twilio.from_env(environ, timeout_seconds)


@contextmanager
def fcm(url: str, credentials: Credentials = ANONYMOUS, timeout_seconds: float = TIMEOUT_SECONDS) -> Iterator[Fcm]:
    options = {"projectId": "p", "httpTimeout": timeout_seconds}
    with pytest.MonkeyPatch.context() as sdk:  # the SDK has no setting for its URL
        sdk.setattr(messaging._MessagingService, "FCM_URL", url + "/v1/projects/{0}/messages:send")  # noqa: SLF001 - the SDK has no public way
        app = firebase_admin.initialize_app(credentials, options, name="test")
        try:
            yield Fcm(app)
        finally:
            firebase_admin.delete_app(app)


def webhook(**environ: str) -> Http:
    given = {
        "WEBHOOK_SIGNING_SECRET": SIGNING_SECRET,
        "TELEGRAM_SECRET": OTHER_SECRET,
        "WEBHOOK_ALLOW_PRIVATE_ADDRESSES": "true",
    }
    return Http.from_env(given | environ, seconds=TIMEOUT_SECONDS)
