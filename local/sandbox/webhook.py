"""A webhook receiver at ``/webhook/{name}``: records whether the signature is valid, and accepts the request anyway."""

import uuid

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from standardwebhooks import Webhook, WebhookVerificationError

from local.sandbox.provider_stub import Accepted, ErrorResponse, ProviderStub
from local.sandbox.test_recipients import Treatment
from shared.webhook_secrets import derive, origin_of

ERRORS: dict[Treatment, ErrorResponse] = {
    "refuse": ErrorResponse(410, {"error": "gone"}),
    "limit": ErrorResponse(429, {"error": "too many requests"}, {"Retry-After": "1"}),
    "down": ErrorResponse(503, {"error": "unavailable"}),
    "broken": ErrorResponse(500, {"error": "internal error"}),
    "deny": ErrorResponse(401, {"error": "unauthorized"}),
}


def router(stub: ProviderStub) -> APIRouter:
    routes = APIRouter()
    master = stub.credentials.webhook_signing_secret

    @routes.api_route("/webhook/{name}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def receive(request: Request) -> Response:
        body = await request.body()
        headers = dict(request.headers)
        verifier = Webhook(derive(master, origin_of(str(request.base_url))))
        result = await stub.handle(
            request,
            channel_type="webhook",
            provider="webhook",
            recipient=request.url.path,
            message_id=headers.get("webhook-id", uuid.uuid4().hex),
            content={
                "method": request.method,
                "headers": headers,
                "body": _json_or_text(body),
                "signature": _signature(verifier, body, headers),
            },
        )
        if isinstance(result, Accepted):
            return JSONResponse({"received": result.provider_message_id})
        return ERRORS[result].response()

    return routes


def _json_or_text(body: bytes) -> object:
    """``body`` as JSON if it is JSON, else as text."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body.decode(errors="replace")


def _signature(verifier: Webhook, body: bytes, headers: dict[str, str]) -> str:
    """``valid``, ``unsigned``, or ``invalid:`` and why."""
    if "webhook-signature" not in headers:
        return "unsigned"
    try:
        verifier.verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError) as error:
        return f"invalid: {error}"
    return "valid"
