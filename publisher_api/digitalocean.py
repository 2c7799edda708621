"""The same application as a DigitalOcean Function (``web: raw``), through Mangum.

Source of the event's shape: DigitalOcean's Functions reference, "Parsed and raw HTTP events".
"""

import asyncio
import base64
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI
from mangum import Mangum
from mangum.types import LambdaConfig, LambdaContext, LambdaEvent, Response, Scope

from shared import logs


class RawWebEvent:
    """Mangum's handler for ``{"http": {headers, method, path, queryString, body, isBase64Encoded}}``."""

    def __init__(self, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> None:
        self.event = event
        self.context = context
        self.config = config
        self._http = event["http"]

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:  # noqa: ARG003 - Mangum's port
        return "http" in event

    @property
    def body(self) -> bytes:
        body: str = self._http.get("body") or ""
        return base64.b64decode(body) if self._http.get("isBase64Encoded") else body.encode(errors="surrogatepass")

    @property
    def scope(self) -> Scope:
        path: str = self._http.get("path") or "/"
        headers = []
        for name, value in (self._http.get("headers") or {}).items():
            values = value if isinstance(value, list) else [value]
            headers += [(name.lower().encode(), str(each).encode(errors="surrogatepass")) for each in values]
        return {
            "type": "http",
            "http_version": "1.1",
            "method": self._http.get("method", "GET").upper(),
            "headers": headers,
            "scheme": "https",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": (self._http.get("queryString") or "").encode(),
            "root_path": "",
            "server": ("digitalocean", 443),
            "client": None,
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "aws.event": self.event,
            "aws.context": self.context,
        }

    def __call__(self, response: Response) -> dict[str, Any]:
        headers: dict[str, str] = {}
        for raw_name, raw_value in response["headers"]:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers and name != "set-cookie" else value
        return {"statusCode": response["status"], "headers": headers, "body": response["body"].decode()}


class Handler:
    """Makes the application at the first event and keeps it, with its connections, for those that follow."""

    def __init__(self, make_app: Callable[[], FastAPI]) -> None:
        self._make_app = make_app
        self._mangum: Mangum | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answers ``{"statusCode", "headers", "body"}``."""
        with self._lock:
            if self._mangum is None or self._loop is None:
                logs.configure()
                # lifespan off: Mangum would start and stop the application around every event.
                self._mangum = Mangum(self._make_app(), lifespan="off", custom_handlers=[RawWebEvent])
                self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)  # Mangum asks for the thread's loop, and DigitalOcean brings any thread
            answer: dict[str, Any] = self._mangum(event, context)
            return answer
