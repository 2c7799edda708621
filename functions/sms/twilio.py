"""Twilio, through its own SDK."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from functions.runtime.provider import Rejected, Sent
from functions.runtime.requests_http import keep_connections, never_connected
from functions.runtime.statuses import HTTP, Alert, Reject, Retry, Verdict, outcome_for, unreachable, verdict_of_http
from shared.content import SmsContent
from shared.envelope import Delivery
from shared.reasons import Reason
from shared.sms_sender import is_messaging_service

_TIMEOUT_SECONDS = 20.0
_API = "https://api.twilio.com"
_SENDER_CODES = (20404, 21212, 21601, 21603, 21606, 21607, 21616, 21659, 21660, 21661, 21701, 21705)
_TRIAL_ACCOUNT = 21608  # it may send to verified numbers only
CODES: Mapping[int | None, Verdict] = {
    **dict.fromkeys((*_SENDER_CODES, _TRIAL_ACCOUNT), Alert(Reason.SENDER_REFUSED)),
    20429: Retry(Reason.RATE_LIMITED),
    21211: Reject(Reason.INVALID_NUMBER),
    21408: Alert(Reason.REGION_NOT_ENABLED),  # a setting of our account
    21610: Reject(Reason.OPTED_OUT, suppress=True),
    21611: Alert(Reason.QUEUE_FULL),
    21612: Reject(Reason.UNREACHABLE_NUMBER),
    21614: Reject(Reason.INVALID_NUMBER),
    21617: Reject(Reason.TOO_LARGE),
}
"""Twilio's own codes, where they are more precise than the HTTP status."""
STATUSES: Mapping[int, Verdict] = {**HTTP, 404: Alert(Reason.SENDER_REFUSED)}  # the account or the URL


class _HttpClient(TwilioHttpClient):  # type: ignore[misc] # the SDK has no types
    """Twilio's HTTP client with another base URL: the SDK has ``https://api.twilio.com`` built in."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        super().__init__(timeout=timeout_seconds)
        keep_connections(self.session)
        self._url = url.rstrip("/")

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Response:
        return super().request(method, url.replace(_API, self._url, 1), *args, **options)

    def log_request(self, _: object) -> None:
        """Log nothing: the URL and the headers are personal data, and cost more to write than the request."""

    def log_response(self, *_: object) -> None:
        """Log nothing."""


class Twilio:
    """Sends one text message per call.

    ``sender`` is a number, a name, or the id of a messaging service (``MG…``); the channel's config may name another.
    """

    name = "twilio"
    required: ClassVar[tuple[str, ...]] = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM")
    longest_send_seconds: ClassVar[float] = 30.0

    def __init__(self, client: Client, sender: str) -> None:
        self._client = client
        self._sender = sender

    @classmethod
    def from_env(cls, environ: Mapping[str, str], timeout_seconds: float = _TIMEOUT_SECONDS) -> Self:
        http = _HttpClient(environ.get("TWILIO_URL") or _API, timeout_seconds)
        client = Client(environ["TWILIO_ACCOUNT_SID"], environ["TWILIO_AUTH_TOKEN"], http_client=http)
        return cls(client, environ["TWILIO_FROM"])

    def send(self, delivery: Delivery) -> Sent | Rejected:
        content = delivery.content_as(SmsContent)
        sender = str(delivery.config.get("sender") or self._sender)
        from_sender = {"messaging_service_sid" if is_messaging_service(sender) else "from_": sender}
        try:
            message = self._client.messages.create(to=delivery.recipient, body=content.text, **from_sender)
        except TwilioRestException as error:
            verdict = CODES.get(error.code) or verdict_of_http(error.status, STATUSES)
            return outcome_for(verdict, provider=self.name, detail=f"Twilio {error.code}")  # its text holds the number
        except requests.RequestException as error:
            unreachable(self.name, error, ambiguous=not never_connected(error))
        return Sent(self.name, message.sid)
