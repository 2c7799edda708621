"""How much a request may weigh, enforced while its body arrives: nothing larger is ever held in memory.

Starlette's own limit would do, if it did not answer in plain text where every other refusal is a problem.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from publisher_api.accept.request import MAX_BATCH_BYTES, MAX_BODY_BYTES
from publisher_api.errors import Problem

_BATCH = "/v1/notifications/batch"


class BodyLimit:
    """ASGI middleware that answers 413 as soon as a body is too large, announced or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = MAX_BATCH_BYTES if scope["path"] == _BATCH else MAX_BODY_BYTES
        seen = 0

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise _too_large(limit)
            return message

        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        try:
            if announced.isdigit() and int(announced) > limit:
                raise _too_large(limit)
            await self._app(scope, limited, send)
        except Problem as problem:  # raised outside the application's own handlers
            await problem.response()(scope, receive, send)


def _too_large(limit: int) -> Problem:
    detail = f"The body may have at most {limit // 1024} KB. Send a reference to large data instead of the data."
    return Problem(413, "too_large", detail, fields=[("body", f"larger than {limit} bytes")])
