"""Sending: one notification, or up to a thousand of which each succeeds or fails alone."""

import re
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator

from publisher_api.accept.accept import Answer, Submission
from publisher_api.accept.request import Key, NotificationRequest, parse, parse_batch
from publisher_api.errors import Problem
from publisher_api.services import Producer, Serving

router = APIRouter(prefix="/v1/notifications", tags=["sending"])

IdempotencyKey = Annotated[Key | None, Header(alias="Idempotency-Key")]


def _traceparent(header: str | None) -> str | None:
    # W3C Trace Context: one that cannot be read is ignored, and never a reason to refuse.
    return header if header and _TRACEPARENT.fullmatch(header) else None


_TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
TraceParent = Annotated[str | None, Header(), AfterValidator(_traceparent)]

_SCHEMA = NotificationRequest.model_json_schema()
_BATCH_SCHEMA: dict[str, object] = {
    "type": "object",
    "required": ["notifications"],
    "properties": {"notifications": {"type": "array", "minItems": 1, "maxItems": 1000, "items": _SCHEMA}},
}


def _documented(schema: dict[str, object]) -> dict[str, object]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


# The bodies are read by our own parser, once, for both routes: its errors name an item's field, and it is quicker.
@router.post("", status_code=202, openapi_extra=_documented(_SCHEMA))
async def send(
    request: Request,
    producer: Producer,
    services: Serving,
    idempotency_key: IdempotencyKey = None,
    traceparent: TraceParent = None,
) -> JSONResponse:
    """Accept one notification. 202 means that it is committed and will be delivered, or that we can say why not."""
    body = await request.body()
    answer = await services.desk.accept(
        Submission(producer, [parse(body)], idempotency_key=idempotency_key, body=body, traceparent=traceparent),
    )
    return _response(answer, located=True)


@router.post("/batch", status_code=202, openapi_extra=_documented(_BATCH_SCHEMA))
async def send_batch(
    request: Request,
    producer: Producer,
    services: Serving,
    idempotency_key: IdempotencyKey = None,
    traceparent: TraceParent = None,
) -> JSONResponse:
    """Accept up to 1,000 notifications; `results` answers each at its index. 422 only when every one was refused."""
    body = await request.body()
    answer = await services.desk.accept(
        Submission(
            producer,
            parse_batch(body),
            batch=True,
            idempotency_key=idempotency_key,
            body=body,
            traceparent=traceparent,
        ),
    )
    return _response(answer, located=False)


def _response(answer: Answer | Problem, *, located: bool) -> JSONResponse:
    if isinstance(answer, Problem):
        raise answer
    headers = {"Idempotent-Replayed": "true"} if answer.replayed else {}
    if located:
        headers["Location"] = f"/v1/notifications/{answer.body['notification_id']}"
    return JSONResponse(answer.body, answer.status, headers=headers)
