"""A receiver of webhooks at ``/webhook/{name}``: shows whether their signature holds, and takes them either way."""

import uuid

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from standardwebhooks import Webhook, WebhookVerificationError

from local.sandbox.provider_stub import Desk, Failure, Taken
from local.sandbox.test_recipients import Treatment

FAILURES: dict[Treatment, Failure] = {
    "refuse": Failure(410, {"error": "gone"}),
    "limit": Failure(429, {"error": "too many requests"}, {"Retry-After": "1"}),
    "down": Failure(503, {"error": "unavailable"}),
    "broken": Failure(500, {"error": "internal error"}),
    "deny": Failure(401, {"error": "unauthorized"}),
}


def router(desk: Desk) -> APIRouter:
    routes = APIRouter()
    verifier = Webhook(desk.credentials.webhook_signing_secret)

    @routes.api_route("/webhook/{name}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def receive(request: Request) -> Response:
        body = await request.body()
        headers = dict(request.headers)
        answer = await desk.handle(
            request,
            channel="webhook",
            provider="webhook",
            recipient=request.url.path,
            message_id=headers.get("webhook-id", uuid.uuid4().hex),
            content={
                "method": request.method,
                "headers": headers,
                "body": _readable(body),
                "signature": _verdict(verifier, body, headers),
            },
        )
        if isinstance(answer, Taken):
            return JSONResponse({"received": answer.provider_message_id})
        return FAILURES[answer].response()

    return routes


def _readable(body: bytes) -> object:
    """``body`` as JSON if it is that, else as text."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body.decode(errors="replace")


def _verdict(verifier: Webhook, body: bytes, headers: dict[str, str]) -> str:
    """``valid``, ``unsigned``, or why the signature does not hold."""
    if "webhook-signature" not in headers:
        return "unsigned"
    try:
        verifier.verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError) as refusal:
        return f"invalid: {refusal}"
    return "valid"
