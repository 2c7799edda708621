"""A stub of SendGrid's ``POST /v3/mail/send``."""

import hmac
import uuid
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from local.sandbox.provider_stub import Accepted, ErrorResponse, ProviderStub
from local.sandbox.test_recipients import Treatment


class _Address(msgspec.Struct):
    email: str
    name: str = ""


class _Personalization(msgspec.Struct):
    to: list[_Address]
    custom_args: dict[str, str] = msgspec.field(default_factory=dict)


class _Content(msgspec.Struct):
    type: str
    value: str


class _Mail(msgspec.Struct):
    personalizations: list[_Personalization]
    content: list[_Content]
    subject: str
    sender: _Address = msgspec.field(name="from")


def _error(status: int, message: str, field: str | None = None) -> ErrorResponse:
    return ErrorResponse(status, {"errors": [{"message": message, "field": field, "help": None}]})


_DENIED = _error(401, "The provided authorization grant is invalid, expired, or revoked")
ERRORS: dict[Treatment, ErrorResponse] = {
    "refuse": _error(400, "Does not contain a valid address.", "personalizations.0.to.0.email"),
    "limit": _error(429, "too many requests"),
    "down": _error(503, "service unavailable"),
    "broken": _error(500, "internal server error"),
    "deny": _DENIED,
}


def router(stub: ProviderStub) -> APIRouter:
    routes = APIRouter()

    @routes.post("/v3/mail/send")
    async def send(request: Request) -> Response:
        expected = f"Bearer {stub.credentials.sendgrid_api_key}"
        if not hmac.compare_digest(request.headers.get("authorization", ""), expected):
            return _DENIED.response()
        try:
            mail = msgspec.json.decode(await request.body(), type=_Mail)
            recipient = mail.personalizations[0].to[0].email
        except (msgspec.DecodeError, IndexError) as error:
            return _error(400, f"Bad Request: {error}").response()
        result = await stub.handle(
            request,
            channel_type="email",
            provider="sendgrid",
            recipient=recipient,
            message_id=uuid.uuid4().hex[:22],
            content=_content(mail),
        )
        if isinstance(result, Accepted):
            return Response(status_code=202, headers={"X-Message-Id": result.provider_message_id})
        return ERRORS[result].response()

    return routes


def _content(mail: _Mail) -> dict[str, Any]:
    bodies = {content.type: content.value for content in mail.content}
    return {
        "from": f"{mail.sender.name} <{mail.sender.email}>" if mail.sender.name else mail.sender.email,
        "subject": mail.subject,
        "text": bodies.get("text/plain"),
        "html": bodies.get("text/html"),
        "custom_args": mail.personalizations[0].custom_args,
    }
