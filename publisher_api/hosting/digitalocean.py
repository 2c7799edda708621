"""The application as a DigitalOcean Function (``web: raw``), by Mangum.

The event's shape is from DigitalOcean's Functions reference, "Parsed and raw HTTP events".
"""

import asyncio
import base64
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import unquote

import msgspec
from fastapi import FastAPI
from mangum import Mangum
from mangum.types import LambdaConfig, LambdaContext, LambdaEvent, Response, Scope

from publisher_api.refusal import Refusal, RefusalCode
from publisher_api.web.problems import problem_response
from shared import logs


class _Http(msgspec.Struct, rename="camel"):
    method: str = "GET"
    path: str | None = None
    query_string: str | None = None
    headers: dict[str, Any] | None = None
    body: str | None = None
    is_base64_encoded: bool = False


class _Event(msgspec.Struct):
    http: _Http


class RawWebEvent:
    """Mangum's handler for ``{"http": {headers, method, path, queryString, body, isBase64Encoded}}``.

    Creating it, and reading its scope or body, raises ``Refusal`` for an event that cannot be read.
    """

    def __init__(self, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> None:
        self.event = event
        self.context = context
        self.config = config
        try:
            self._http = msgspec.convert(event, _Event).http
        except msgspec.ValidationError as error:
            raise _malformed(f"The event is not a web request: {error}.") from error

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:  # noqa: ARG003 - Mangum's port
        return True  # no other kind of event reaches this function

    @property
    def body(self) -> bytes:
        body = self._http.body or ""
        if not self._http.is_base64_encoded:
            return _encoded("body", body)
        try:
            return base64.b64decode(body, validate=True)
        except ValueError as error:
            raise _malformed("The body is marked as base64 but cannot be decoded.") from error

    @property
    def scope(self) -> Scope:
        path = self._http.path or "/"
        headers = []
        for name, value in (self._http.headers or {}).items():
            values = value if isinstance(value, list) else [value]
            headers += [(_encoded("headers", name.lower()), _encoded("headers", str(each))) for each in values]
        return {
            "type": "http",
            "http_version": "1.1",
            "method": self._http.method.upper(),
            "headers": headers,
            "scheme": "https",
            "path": unquote(path),
            "raw_path": _encoded("path", path),
            "query_string": _encoded("query string", self._http.query_string or ""),
            "root_path": "",
            "server": ("digitalocean", 443),
            "client": None,
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "aws.event": self.event,
            "aws.context": self.context,
        }

    def __call__(self, response: Response) -> dict[str, Any]:
        return _response(response["status"], response["headers"], response["body"])


class Handler:
    """Creates the application at the first event, and keeps it with its connections for later events."""

    def __init__(self, make_app: Callable[[], FastAPI]) -> None:
        self._make_app = make_app
        self._mangum: Mangum | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Returns ``{"statusCode", "headers", "body"}``."""
        with self._lock:
            if self._mangum is None or self._loop is None:
                logs.configure()
                # lifespan off: Mangum would start and stop the application at each event.
                self._mangum = Mangum(self._make_app(), lifespan="off", custom_handlers=[RawWebEvent])
                self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)  # Mangum uses the thread's loop, and the thread may differ
            try:
                response: dict[str, Any] = self._mangum(event, context)
            except Refusal as refusal:  # raised before the application got the request
                problem = problem_response(refusal)
                response = _response(problem.status_code, problem.raw_headers, problem.body)
            return response


def _response(status: int, raw_headers: Iterable[Sequence[bytes]], body: bytes | memoryview) -> dict[str, Any]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw_headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers and name != "set-cookie" else value
    return {"statusCode": status, "headers": headers, "body": bytes(body).decode()}


def _encoded(part: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise _malformed(f"The {part} cannot be encoded in UTF-8.") from error


def _malformed(detail: str) -> Refusal:
    return Refusal(RefusalCode.MALFORMED_REQUEST, detail)
