"""A stub of Twilio's ``POST /2010-04-01/Accounts/{sid}/Messages.json``."""

import base64
import hmac
import uuid
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from local.sandbox.provider_stub import Accepted, ErrorResponse, ProviderStub
from local.sandbox.test_recipients import Treatment


def _error(status: int, code: int, message: str) -> ErrorResponse:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return ErrorResponse(status, {"code": code, "message": message, "more_info": more, "status": status})


_DENIED = _error(401, 20003, "Authenticate")
ERRORS: dict[Treatment, ErrorResponse] = {
    "refuse": _error(400, 21211, "The 'To' number is not a valid phone number."),
    "opt_out": _error(400, 21610, "Attempt to send to unsubscribed recipient"),
    "limit": _error(429, 20429, "Too Many Requests"),
    "down": _error(503, 20503, "Service unavailable"),
    "broken": _error(500, 20500, "Internal Server Error"),
    "deny": _DENIED,
}


def router(stub: ProviderStub) -> APIRouter:
    routes = APIRouter()

    @routes.post("/2010-04-01/Accounts/{account}/Messages.json")
    async def send(account: str, request: Request) -> Response:
        pair = f"{stub.credentials.twilio_account_sid}:{stub.credentials.twilio_auth_token}"
        expected = f"Basic {base64.b64encode(pair.encode()).decode()}"
        known = account == stub.credentials.twilio_account_sid
        if not (known and hmac.compare_digest(request.headers.get("authorization", ""), expected)):
            return _DENIED.response()
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if "To" not in form:
            return _error(400, 21604, "A 'To' phone number is required.").response()
        if "Body" not in form:
            return _error(400, 21602, "Message body is required.").response()
        result = await stub.handle(
            request,
            channel_type="sms",
            provider="twilio",
            recipient=form["To"],
            message_id=f"SM{uuid.uuid4().hex}",
            content={"from": form.get("From"), "text": form["Body"]},
        )
        if isinstance(result, Accepted):
            return JSONResponse(_message(account, result.provider_message_id, form), 201)
        return ERRORS[result].response()

    return routes


def _message(account: str, sid: str, form: dict[str, str]) -> dict[str, object]:
    now = format_datetime(datetime.now(UTC))
    return {
        "sid": sid,
        "account_sid": account,
        "api_version": "2010-04-01",
        "to": form["To"],
        "from": form.get("From"),
        "body": form["Body"],
        "status": "queued",
        "direction": "outbound-api",
        "num_segments": "1",
        "num_media": "0",
        "price": None,
        "price_unit": "USD",
        "error_code": None,
        "error_message": None,
        "messaging_service_sid": form.get("MessagingServiceSid"),
        "date_created": now,
        "date_updated": now,
        "date_sent": None,
        "uri": f"/2010-04-01/Accounts/{account}/Messages/{sid}.json",
        "subresource_uris": {},
    }
