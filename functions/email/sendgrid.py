"""SendGrid, through its own SDK."""

from collections.abc import Mapping
from email.utils import parseaddr
from http.client import HTTPException
from typing import ClassVar, Self
from urllib.error import URLError

import msgspec
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from functions.runtime.provider import Rejected, Sent
from functions.runtime.statuses import HTTP, Alert, Reject, Verdict, outcome_for, unreachable, verdict_of_http
from shared.content import EmailContent
from shared.envelope import Delivery
from shared.reasons import Reason

_TIMEOUT_SECONDS = 15.0
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

    def __init__(self, client: SendGridAPIClient, sender: str, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._client = client
        self._client.client.timeout = timeout_seconds  # the SDK sets no timeout itself
        name, address = parseaddr(sender)
        self._sender = {"email": address, **({"name": name} if name else {})}

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        url = environ.get("SENDGRID_URL") or "https://api.sendgrid.com"
        return cls(SendGridAPIClient(environ["SENDGRID_API_KEY"], host=url), environ["EMAIL_FROM"])

    def send(self, delivery: Delivery) -> Sent | Rejected:
        message = self._message(delivery, delivery.content_as(EmailContent))
        try:
            response = self._client.send(message)
        except HTTPError as error:
            return _refused(error, delivery.recipient)
        except URLError as error:  # urllib wraps errors before the request is sent, and no later ones
            unreachable(self.name, error, ambiguous=False)
        except (OSError, HTTPException) as error:
            unreachable(self.name, error, ambiguous=True)
        return Sent(self.name, response.headers.get("X-Message-Id"))

    def _message(self, delivery: Delivery, content: EmailContent) -> dict[str, object]:
        bodies = [{"type": "text/plain", "value": content.text}]
        if content.html:
            bodies.append({"type": "text/html", "value": content.html})
        # SendGrid returns these ids with each of its events, so that an event can be assigned to its delivery.
        ids = {"notification_id": delivery.notification_id, "delivery_id": delivery.delivery_id}
        return {
            "personalizations": [{"to": [{"email": delivery.recipient}], "custom_args": ids}],
            "from": self._sender,
            "subject": content.subject,
            "content": bodies,
        }


def _refused(error: HTTPError, recipient: str) -> Rejected:
    try:
        first = next(iter(msgspec.json.decode(error.body, type=_Errors).errors), _Error())
    except msgspec.DecodeError:  # the body is the HTML page of a gateway
        first = _Error()
    verdict = FIELDS.get(first.field) or verdict_of_http(error.status_code, STATUSES)
    return outcome_for(verdict, provider=SendGrid.name, detail=first.message, hide=recipient)
