"""A stub of Firebase Cloud Messaging's ``POST /v1/projects/{project}/messages:send``, and of its token endpoint."""

import hmac
import uuid
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from local.sandbox.provider_stub import Accepted, ErrorResponse, ProviderStub
from local.sandbox.test_recipients import Treatment

_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_TOKEN_SECONDS = 3600
_MAX_BYTES = 4096


class _Notification(msgspec.Struct):
    title: str = ""
    body: str = ""


class _Message(msgspec.Struct):
    token: str
    notification: _Notification = msgspec.field(default_factory=_Notification)
    data: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """The size that FCM limits: the names and values of ``notification`` and ``data``, and nothing else."""
        notification: dict[str, str] = msgspec.to_builtins(self.notification)
        return sum(len(text.encode()) for part in (notification, self.data) for pair in part.items() for text in pair)


class _Body(msgspec.Struct):
    message: _Message


def _error(code: int, status: str, message: str, fcm_code: str | None = None) -> ErrorResponse:
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    if fcm_code:
        error["details"] = [{"@type": _FCM_ERROR, "errorCode": fcm_code}]
    return ErrorResponse(code, {"error": error})


_DENIED = _error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
_TOO_LARGE = _error(
    400, "INVALID_ARGUMENT", "Message is too large. The maximum is 4K (4096 bytes).", "INVALID_ARGUMENT"
)
ERRORS: dict[Treatment, ErrorResponse] = {
    "refuse": _error(404, "NOT_FOUND", "Requested entity was not found.", "UNREGISTERED"),
    "limit": _error(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", "QUOTA_EXCEEDED"),
    "down": _error(503, "UNAVAILABLE", "The service is currently unavailable.", "UNAVAILABLE"),
    "broken": _error(500, "INTERNAL", "Internal error encountered.", "INTERNAL"),
    "deny": _DENIED,
}


def router(stub: ProviderStub) -> APIRouter:
    routes = APIRouter()

    @routes.post("/token")
    async def token() -> dict[str, object]:
        """An access token, which Google gives for a service account key. The key file names this URL."""
        access_token = stub.credentials.fcm_access_token
        return {"access_token": access_token, "expires_in": _TOKEN_SECONDS, "token_type": "Bearer"}

    @routes.post("/v1/projects/{project}/messages:send")
    async def send(project: str, request: Request) -> Response:
        expected = f"Bearer {stub.credentials.fcm_access_token}"
        if not hmac.compare_digest(request.headers.get("authorization", ""), expected):
            return _DENIED.response()
        try:
            message = msgspec.json.decode(await request.body(), type=_Body).message
        except msgspec.DecodeError as error:
            return _error(400, "INVALID_ARGUMENT", str(error), "INVALID_ARGUMENT").response()
        if message.bytes > _MAX_BYTES:
            return _TOO_LARGE.response()
        result = await stub.handle(
            request,
            channel_type="push",
            provider="fcm",
            recipient=message.token,
            message_id=f"projects/{project}/messages/{uuid.uuid4()}",
            content={**msgspec.to_builtins(message.notification), "data": message.data},
        )
        if isinstance(result, Accepted):
            return JSONResponse({"name": result.provider_message_id})
        return ERRORS[result].response()

    return routes
