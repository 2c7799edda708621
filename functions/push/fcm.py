"""Firebase Cloud Messaging, by firebase-admin."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self

import firebase_admin
import requests
from firebase_admin import exceptions, messaging
from google.auth.exceptions import GoogleAuthError

from functions.runtime.provider import Rejected, Sent
from functions.runtime.requests_errors import never_connected
from functions.runtime.statuses import Alert, Reject, Retry, Verdict, settle, unreachable
from shared.content import PushContent
from shared.envelope import Delivery

_TIMEOUT_SECONDS = 20
ERRORS: Mapping[type[exceptions.FirebaseError], Verdict] = {
    messaging.UnregisteredError: Reject("unregistered"),
    messaging.SenderIdMismatchError: Reject("sender_mismatch"),
    messaging.QuotaExceededError: Retry("rate_limited"),
    messaging.ThirdPartyAuthError: Alert("credentials_refused"),
    exceptions.InvalidArgumentError: Reject("invalid_argument"),
    exceptions.NotFoundError: Reject("unregistered"),
    exceptions.UnauthenticatedError: Alert("credentials_refused"),
    exceptions.PermissionDeniedError: Alert("credentials_refused"),
    exceptions.ResourceExhaustedError: Retry("rate_limited"),
}
_TOO_LARGE = re.compile(r"message is too (big|large)", re.IGNORECASE)  # no code says so, and its words have changed


class Fcm:
    """One device a call: each has its own delivery, and so its own answer."""

    name = "fcm"
    required: ClassVar[tuple[str, ...]] = ()

    def __init__(self, app: firebase_admin.App) -> None:
        self._app = app
        # The SDK repeats a 503 four times, and a broken connection once, which may send twice; it has no option for it.
        service = messaging._get_messaging_service(app)  # noqa: SLF001 - there is no public way
        for prefix in ("https://", "http://", "https://fcm.googleapis.com"):
            service._client.session.mount(prefix, requests.adapters.HTTPAdapter())  # noqa: SLF001 - likewise

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Uses the process's own Firebase app where one was set up before, else the machine's credentials."""
        try:
            return cls(firebase_admin.get_app())
        except ValueError:  # firebase-admin's word for "none yet"
            project = environ.get("FCM_PROJECT") or environ["GOOGLE_CLOUD_PROJECT"]
            return cls(firebase_admin.initialize_app(options={"projectId": project, "httpTimeout": _TIMEOUT_SECONDS}))

    def send(self, delivery: Delivery) -> Sent | Rejected:
        content = delivery.content_as(PushContent)
        message = messaging.Message(
            token=delivery.recipient,
            notification=messaging.Notification(title=content.title, body=content.body),
            data=content.data | {"notification_id": delivery.notification_id},
            **_not_after(delivery.expires_at),
        )
        try:
            return Sent(self.name, messaging.send(message, app=self._app))
        except exceptions.FirebaseError as error:
            if error.http_response is None:
                unreachable(self.name, error, ambiguous=not never_connected(error.cause))
            return settle(_verdict(error), provider=self.name, detail=error.code, hide=delivery.recipient)
        except GoogleAuthError as error:
            verdict = Retry("unreachable") if error.retryable else Alert("credentials_refused")
            return settle(verdict, provider=self.name, detail=type(error).__name__)


def _not_after(expires_at: datetime) -> dict[str, Any]:
    """So long may a phone be out of reach. Without it FCM keeps trying for four weeks."""
    left = max(timedelta(), expires_at - datetime.now(UTC))
    return {
        "android": messaging.AndroidConfig(ttl=left),
        "apns": messaging.APNSConfig(headers={"apns-expiration": str(int(expires_at.timestamp()))}),
        "webpush": messaging.WebpushConfig(headers={"TTL": str(int(left.total_seconds()))}),
    }


def _verdict(error: exceptions.FirebaseError) -> Verdict:
    if isinstance(error, exceptions.InvalidArgumentError) and _TOO_LARGE.search(str(error)):
        return Reject("too_large")
    gateway_gave_up = isinstance(error, exceptions.DeadlineExceededError)
    return ERRORS.get(type(error)) or Retry("provider_error", ambiguous=gateway_gave_up)
