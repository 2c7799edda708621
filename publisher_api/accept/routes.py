"""POST /v1/notifications: one notification, or a batch in which each succeeds or fails alone."""

import re
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel

from publisher_api.accept.model import AcceptRequest, AcceptResult
from publisher_api.accept.parsing import MAX_BATCH, in_tenant, parse, parse_batch
from publisher_api.fields import Key
from publisher_api.notifications.request import NotificationRequest
from publisher_api.refusal import Refusal
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import Problem, problems, request_body
from publisher_api.web.quota_headers import DOCUMENTED, quota_headers
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/notifications", tags=["sending"], route_class=AuthenticatedRoute)
_ACCEPTED = 202

IdempotencyKey = Annotated[
    Key | None,
    Header(alias="Idempotency-Key", description="The same key with the same body gets the same answer for 24 hours."),
]
_TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def _traceparent(header: str | None) -> str | None:
    # W3C Trace Context: a header that cannot be read is ignored, and never a reason to refuse.
    return header if header and _TRACEPARENT.fullmatch(header) else None


TraceParent = Annotated[str | None, Header(description="W3C Trace Context."), AfterValidator(_traceparent)]


class AcceptedView(BaseModel):
    """The notification is committed. `duplicate`: it existed before."""

    notification_id: UUID
    status: Literal["queued"]
    duplicate: Literal[True] | None = None


class BatchItemView(BaseModel):
    """The result of one item: a notification, or the problem for which it was rejected."""

    index: int
    status: Literal["queued", "rejected"]
    notification_id: UUID | None = None
    duplicate: Literal[True] | None = None
    problem: Problem | None = None


class BatchView(BaseModel):
    """The results, in the order of the request."""

    accepted: int
    rejected: int
    results: list[BatchItemView]


_SCHEMA = NotificationRequest.model_json_schema()
_BATCH_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["notifications"],
    "properties": {"notifications": {"type": "array", "minItems": 1, "maxItems": MAX_BATCH, "items": _SCHEMA}},
}
_LOCATION = {"Location": {"description": "Where to read the notification.", "schema": {"type": "string"}}}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
_PROBLEMS: dict[int | str, dict[str, Any]] = problems(400, 401, 403, 409, 413, 422, 429, 503)
_PROBLEMS[429]["headers"] = {**DOCUMENTED, **_RETRY_AFTER}


# These bodies are parsed here and not by FastAPI: errors name an item's field, and it is faster.
@router.post(
    "",
    status_code=_ACCEPTED,
    response_model=AcceptedView,
    responses={_ACCEPTED: {"headers": {**_LOCATION, **DOCUMENTED}}, **_PROBLEMS},
    openapi_extra=request_body(_SCHEMA),
)
async def send(
    request: Request,
    producer: Producer,
    services: Services,
    idempotency_key: IdempotencyKey = None,
    traceparent: TraceParent = None,
) -> JSONResponse:
    """Accept one notification. 202 means that it is committed: it will be delivered, or its timeline says why not."""
    body = await request.body()
    answer = await services.backend.accept(
        AcceptRequest(
            producer.producer,
            in_tenant([parse(body)], producer, batch=False),
            idempotency_key=idempotency_key,
            body=body,
            traceparent=traceparent,
            tenant=producer.tenant,
        )
    )
    return _response(answer, located=True)


@router.post(
    "/batch",
    status_code=_ACCEPTED,
    response_model=BatchView,
    responses={_ACCEPTED: {"headers": DOCUMENTED}, **_PROBLEMS},
    openapi_extra=request_body(_BATCH_SCHEMA),
)
async def send_batch(
    request: Request,
    producer: Producer,
    services: Services,
    idempotency_key: IdempotencyKey = None,
    traceparent: TraceParent = None,
) -> JSONResponse:
    """Accept up to 1,000 notifications. `results` has an entry for each. 422 or 429 only when all were rejected."""
    body = await request.body()

    def parsed() -> AcceptRequest:
        return AcceptRequest(
            producer.producer,
            in_tenant(parse_batch(body), producer, batch=True),
            batch=True,
            idempotency_key=idempotency_key,
            body=body,
            traceparent=traceparent,
            tenant=producer.tenant,
        )

    return _response(await services.backend.accept_batch(parsed, producer.producer), located=False)


def _response(answer: AcceptResult | Refusal, *, located: bool) -> JSONResponse:
    if isinstance(answer, Refusal):
        raise answer
    headers = quota_headers(answer.quota) if answer.quota else {}
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    if located:
        headers["Location"] = f"/v1/notifications/{answer.body['notification_id']}"
    return JSONResponse(answer.body, _ACCEPTED, headers=headers)
