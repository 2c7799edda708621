"""POST /internal/outcomes: where Pub/Sub pushes the functions' outcomes, signed by Google."""

from typing import Any

from fastapi import APIRouter, Request, Response

from publisher_api.refusal import Refusal, RefusalCode
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems, request_body
from publisher_api.web.services import Services
from shared import outcomes, pubsub_push
from shared.errors import Undecodable
from shared.log_events import LogEvent
from shared.logs import EventLogger

router = APIRouter(prefix="/internal", tags=["internal"], route_class=AuthenticatedRoute)
_log = EventLogger(__name__)
_PUSH_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "message": {
            "type": "object",
            "required": ["data"],
            "properties": {
                "data": {"type": "string", "format": "byte", "description": "An outcome as JSON, in base64."},
                "messageId": {"type": "string"},
            },
        },
        "subscription": {"type": "string"},
    },
}


@router.post(
    "/outcomes",
    status_code=204,
    responses=problems(400, 401, 413, 422, 503),
    openapi_extra=request_body(_PUSH_SCHEMA),
)
async def receive_outcome(request: Request, services: Services) -> Response:
    """Record one outcome. 204 once it is committed; what cannot be decoded gets 400 and becomes a dead letter."""
    body = await request.body()
    message_id = ""
    try:
        push = pubsub_push.decode(body)
        message_id = push.message.message_id
        outcome = outcomes.decode(push.message.data)
    except Undecodable as error:
        _log.error(LogEvent.OUTCOME_UNDECODABLE, message_id=message_id, error=str(error))
        raise Refusal(RefusalCode.MALFORMED_REQUEST, str(error)) from None
    await services.backend.record(outcome)
    return Response(status_code=204)
