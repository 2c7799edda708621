"""Firebase Cloud Messaging, through firebase-admin."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar, Self

import firebase_admin
from firebase_admin import exceptions, messaging
from google.auth.exceptions import GoogleAuthError, TransportError

from functions.push.message import message_of
from functions.push.verdicts import verdict_of
from functions.runtime.provider import Rejected, Sent
from functions.runtime.requests_http import keep_connections, never_connected
from functions.runtime.statuses import Alert, Retry, outcome_for, unreachable
from shared.envelope import Delivery
from shared.errors import ConfigurationError
from shared.reasons import Reason

_TIMEOUT_SECONDS = 20


class Fcm:
    """Sends to one device per call: each device has its own delivery and its own outcome."""

    name = "fcm"
    required: ClassVar[tuple[str, ...]] = ()
    longest_send_seconds: ClassVar[float] = 30.0

    def __init__(self, app: firebase_admin.App) -> None:
        self._app = app
        # The SDK retries a 503 four times and a broken connection once, which may send twice. It has no option for it.
        session = messaging._get_messaging_service(app)._client.session  # noqa: SLF001 - the SDK has no public way
        keep_connections(session, prefixes=("https://", "http://", "https://fcm.googleapis.com"))

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Uses the Firebase app of this process, if there is one; else the machine's credentials and their project.

        Raises ``ConfigurationError`` without credentials, or without a project.
        """
        try:
            return cls(firebase_admin.get_app())
        except ValueError:  # firebase-admin raises this if no app is initialised
            project = environ.get("FCM_PROJECT") or environ.get("GOOGLE_CLOUD_PROJECT")
            options = {"httpTimeout": _TIMEOUT_SECONDS} | ({"projectId": project} if project else {})
            app = firebase_admin.initialize_app(options=options)
        try:
            return cls(app)
        except (ValueError, GoogleAuthError) as error:
            firebase_admin.delete_app(app)
            message = f"Set GOOGLE_APPLICATION_CREDENTIALS to a key file of Firebase. {error}"
            raise ConfigurationError(message) from error

    def send(self, delivery: Delivery) -> Sent | Rejected:
        message = message_of(delivery, datetime.now(UTC))
        try:
            return Sent(self.name, messaging.send(message, app=self._app))
        except exceptions.FirebaseError as error:
            if error.http_response is None:
                unreachable(self.name, error, ambiguous=not never_connected(error.cause))
            return outcome_for(verdict_of(error), provider=self.name, detail=error.code, hide=delivery.recipient)
        except GoogleAuthError as error:
            away = error.retryable or isinstance(error, TransportError)  # the token server, not our credentials
            verdict = Retry(Reason.UNREACHABLE) if away else Alert(Reason.CREDENTIALS_REFUSED)
            return outcome_for(verdict, provider=self.name, detail=type(error).__name__)
