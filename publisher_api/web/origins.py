"""Which web pages may call what belongs to a user: those of the publisher's own host, and of INBOX_ORIGINS (CORS).

No other address of the API is for browsers, so no other gets these headers.
"""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from publisher_api.refusal import Refusal, RefusalCode
from publisher_api.web.problems import problem_response

PLACES = ("/v1/inbox", "/v1/me")
"""Where the addresses of users begin."""
ORIGIN_REFUSED = 4403
"""The code with which a WebSocket of a refused origin is closed."""
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "DELETE, GET, PATCH, POST, PUT",
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, Last-Event-ID",
    "Access-Control-Max-Age": "600",
}


class InboxOrigins:
    """ASGI middleware: answers preflights, adds the headers of CORS, and refuses every other origin.

    A request without the header Origin is no web page's, or one to the page's own host. A preflight is answered for
    every origin: the request that follows is refused then, and the page can read why. No cookie is ever sent along.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if not any(path == place or path.startswith(f"{place}/") for place in PLACES):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is None or _host_of(origin) == headers.get("host", "none").lower():
            await self._app(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_PREFLIGHT | _readable_by(origin))(scope, receive, send)
        elif origin.lower() not in self._origins:
            await _refuse(origin, scope, receive, send)
        else:
            await self._app(scope, receive, _adding(_readable_by(origin), send))


def _host_of(origin: str) -> str:
    """The host of an origin. A proxy with TLS changes the scheme, and passes the header Host on."""
    return origin.partition("://")[2].lower()


def _readable_by(origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def _adding(headers: dict[str, str], send: Send) -> Send:
    async def adding(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(headers)
        await send(message)

    return adding


async def _refuse(origin: str, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        detail = f"Web pages of {origin} may not call this. INBOX_ORIGINS of the publisher lists those that may."
        refusal = Refusal(RefusalCode.ORIGIN_REFUSED, detail)
        await problem_response(refusal, _readable_by(origin))(scope, receive, send)
        return
    await receive()  # websocket.connect
    # A browser is shown the code of a connection that was accepted, and no reason for one that was not.
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": ORIGIN_REFUSED, "reason": "This origin may not call the inbox."})
