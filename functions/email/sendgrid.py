"""SendGrid's API for mail, without its SDK (``docs/decisions/0034``)."""

from collections.abc import Mapping
from typing import ClassVar, Self

import msgspec
import requests

from functions.email.sender import sender_of
from functions.email.sendgrid_message import message_of
from functions.runtime.provider import Rejected, Sent
from functions.runtime.requests_http import never_connected, session_with
from functions.runtime.statuses import HTTP, Alert, Reject, Verdict, outcome_for, unreachable, verdict_of_http
from shared.envelope import Delivery
from shared.reasons import Reason

_TIMEOUT_SECONDS = 15.0
_HEADERS = {"Content-Type": "application/json"}
_TAKEN = (200, 202)  # 200 in SendGrid's own sandbox mode
_OURS = Alert(Reason.SENDER_REFUSED)
STATUSES: Mapping[int, Verdict] = {**HTTP, 400: Reject(Reason.BAD_REQUEST), 404: _OURS, 413: Reject(Reason.TOO_LARGE)}
FIELDS: Mapping[str | None, Verdict] = {
    "from.email": _OURS,
    "personalizations.0.to.0.email": Reject(Reason.INVALID_ADDRESS),
}


class _Error(msgspec.Struct):
    message: str = ""
    field: str | None = None


class _Errors(msgspec.Struct):
    errors: list[_Error] = msgspec.field(default_factory=list)


class SendGrid:
    """Sends one e-mail per call. ``sender`` is ``a@b`` or ``Name <a@b>``."""

    name = "sendgrid"
    required: ClassVar[tuple[str, ...]] = ("SENDGRID_API_KEY", "EMAIL_FROM")
    longest_send_seconds: ClassVar[float] = 20.0

    def __init__(self, url: str, api_key: str, sender: str, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._url = f"{url.rstrip('/')}/v3/mail/send"
        self._timeout_seconds = timeout_seconds
        self._session = session_with(api_key)
        self._sender = sender

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        url = environ.get("SENDGRID_URL") or "https://api.sendgrid.com"
        return cls(url, environ["SENDGRID_API_KEY"], environ["EMAIL_FROM"])

    def send(self, delivery: Delivery) -> Sent | Rejected:
        body = msgspec.json.encode(message_of(delivery, sender_of(delivery, self._sender)))
        try:
            response = self._session.post(
                self._url, body, headers=_HEADERS, timeout=self._timeout_seconds, allow_redirects=False
            )
        except requests.RequestException as error:
            unreachable(self.name, error, ambiguous=not never_connected(error))
        if response.status_code in _TAKEN:
            return Sent(self.name, response.headers.get("X-Message-Id"))
        return _refused(response, delivery.recipient)


def _refused(response: requests.Response, recipient: str) -> Rejected:
    try:
        first = next(iter(msgspec.json.decode(response.content, type=_Errors).errors), _Error())
    except msgspec.DecodeError:  # the body is the HTML page of a gateway
        first = _Error()
    verdict = FIELDS.get(first.field) or verdict_of_http(response.status_code, STATUSES)
    return outcome_for(verdict, provider=SendGrid.name, detail=first.message, hide=recipient)
