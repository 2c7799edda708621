"""GET /v1/inbox/live: one address for both protocols, each a few lines over the same stream."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, WebSocket
from fastapi.responses import Response

from publisher_api.fields import Name
from publisher_api.live import socket
from publisher_api.live.hub import Hub
from publisher_api.live.sse import EventStream
from publisher_api.live.stream import changes
from publisher_api.refusal import Refusal, RefusalCode
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.problems import problem_response
from publisher_api.web.services import Caller, ServiceRegistry, Services

router = APIRouter(prefix="/v1/inbox", tags=["own inbox"], route_class=AuthenticatedRoute)
_MAX_VERSION = 2**63 - 1


@router.get("/live", status_code=200, responses=problems(401, 403, 404, 422, 429, 503), response_class=EventStream)
async def live(
    user: Caller,
    services: Services,
    last_event_id: Annotated[int | None, Header(ge=0, le=_MAX_VERSION, description="Resumes after this event.")] = None,
    tenant: Annotated[Name | None, Query(description="Only the entries of this tenant, and their counts.")] = None,
) -> Response:
    """Listen to the inbox as Server-Sent Events. The same address accepts a WebSocket, whose first frame has the token.

    Events: `snapshot` (the newest 20 that are not archived), `changes` (every entry that changed), `expired`.
    """
    hub = _hub(services)
    stream = changes(hub, user, tenant, last_event_id)
    # Before the response starts, Postgres may be unavailable: that is a 503.
    first = await anext(stream, None)
    if first is None:
        raise Refusal(RefusalCode.UNAVAILABLE, "The publisher stops. Connect again.")
    return EventStream(first, stream, hub.limits.blocked)


@router.websocket("/live")
async def live_socket(websocket: WebSocket) -> None:
    services: ServiceRegistry = websocket.app.state.services
    try:
        hub = _hub(services)
    except Refusal as refusal:
        await websocket.send_denial_response(problem_response(refusal))
        return
    await socket.serve(websocket, hub, services.inbox_tokens)


def _hub(services: ServiceRegistry) -> Hub:
    if services.live is None:
        detail = "In the profile google, clients listen to Firestore: users/{user_id}/inbox, sorted by delivered_at."
        raise Refusal(RefusalCode.NOT_FOUND, detail)
    return services.live
