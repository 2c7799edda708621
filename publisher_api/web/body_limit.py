"""Limits the size of request bodies while they arrive: of each, and of all that are held in memory at one time.

Starlette's own limit answers in plain text; every other refusal is a problem.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from publisher_api.accept.parsing import MAX_BATCH_BYTES, MAX_BODY_BYTES
from publisher_api.refusal import Refusal, RefusalCode, overloaded
from publisher_api.web.problems import RefusalInBody, problem_response

# A parsed body takes up to twenty times its size. Waiting requests keep their bodies, so this bounds the queue as well.
MAX_BYTES_IN_FLIGHT = 32 * 1024**2
_BATCH = "/v1/notifications/batch"


class BodyLimit:
    """ASGI middleware that answers 413 as soon as a body is too large, whether its length was announced or not.

    It answers 503 when the bodies of all requests in progress are too large together.
    """

    def __init__(self, app: ASGIApp, max_bytes_in_flight: int = MAX_BYTES_IN_FLIGHT) -> None:
        self._app = app
        self._max_bytes_in_flight = max_bytes_in_flight
        self._bytes_in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = MAX_BATCH_BYTES if scope["path"] == _BATCH else MAX_BODY_BYTES
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            size = len(message.get("body", b""))
            received += size
            self._bytes_in_flight += size
            if received > limit:
                raise RefusalInBody(_too_large(limit))
            if self._bytes_in_flight > self._max_bytes_in_flight:
                raise RefusalInBody(overloaded())
            return message

        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if announced.isdigit() and int(announced) > limit:
            await problem_response(_too_large(limit))(scope, receive, send)
            return
        try:
            await self._app(scope, limited, send)
        except RefusalInBody as error:  # raised outside the application's own handlers
            await problem_response(error.refusal)(scope, receive, send)
        finally:
            self._bytes_in_flight -= received


def _too_large(limit: int) -> Refusal:
    detail = f"The body may have at most {limit // 1024} KB. Send a reference to large data instead of the data."
    return Refusal(RefusalCode.TOO_LARGE, detail, fields=[("body", f"larger than {limit} bytes")])
