"""Limits the size of request bodies while they arrive: nothing larger is ever held in memory.

Starlette's own limit answers in plain text; every other refusal is a problem.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from publisher_api.accept.parsing import MAX_BATCH_BYTES, MAX_BODY_BYTES
from publisher_api.refusal import Refusal, RefusalCode
from publisher_api.web.problems import RefusalInBody, problem_response

_BATCH = "/v1/notifications/batch"


class BodyLimit:
    """ASGI middleware that answers 413 as soon as a body is too large, whether its length was announced or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = MAX_BATCH_BYTES if scope["path"] == _BATCH else MAX_BODY_BYTES
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise RefusalInBody(_too_large(limit))
            return message

        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if announced.isdigit() and int(announced) > limit:
            await problem_response(_too_large(limit))(scope, receive, send)
            return
        try:
            await self._app(scope, limited, send)
        except RefusalInBody as error:  # raised outside the application's own handlers
            await problem_response(error.refusal)(scope, receive, send)


def _too_large(limit: int) -> Refusal:
    detail = f"The body may have at most {limit // 1024} KB. Send a reference to large data instead of the data."
    return Refusal(RefusalCode.TOO_LARGE, detail, fields=[("body", f"larger than {limit} bytes")])
