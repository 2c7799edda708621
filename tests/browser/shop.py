"""A web app that uses the component: its pages, the component's built files, and tokens for its signed-in users."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

COMPONENT = Path(__file__).parents[2] / "web" / "inbox"
ATTRIBUTES = ("mode", "badge", "theme", "lang", "dir")

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Shop</title>
<main><h1>Shop</h1><button>Outside</button>
<heliograph-inbox {attributes}></heliograph-inbox></main>
<script type="module" nonce="test">
import {{ liveSource }} from "/dist/index.js";
const user = new URLSearchParams(location.search).get("user");
const getToken = async () => (await fetch(`/token?user=${{user}}`)).json();
const source = liveSource("{publisher}", getToken, {{ user }});
const inbox = document.querySelector("heliograph-inbox");
const {{ dataset }} = document.documentElement;
inbox.addEventListener("heliograph-state", (event) => {{
  dataset.states = `${{dataset.states ?? ""}} ${{event.detail}}`;
}});
inbox.source = {{
  ...source,
  subscribe(options, on) {{
    const entries = (...given) => {{
      on.entries(...given);
      dataset.received = "yes";
    }};
    return source.subscribe(options, {{ ...on, entries }});
  }},
}};
</script></html>"""


class Shop(ThreadingHTTPServer):
    """``tokens`` gives the token of a user; a test replaces it to give another one. None: the user is signed out."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.publisher_url = ""
        self.tokens: Callable[[str], str | None] = lambda _user: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def policy(self) -> str:
        """Forbids inline styles, and HTML from text: the component must need neither."""
        return (
            f"default-src 'none'; script-src 'self' 'nonce-test'; connect-src 'self' {self.publisher_url};"
            " style-src 'nonce-test'; require-trusted-types-for 'script'"
        )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore it: a browser that closes a page cuts its connections."""


class _Handler(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(target.query).items()}
        if target.path == "/":
            attributes = " ".join(f'{name}="{query[name]}"' for name in ATTRIBUTES if name in query)
            page = PAGE.format(attributes=attributes, publisher=self.server.publisher_url)
            self._send(200, page.encode(), "text/html; charset=utf-8")
        elif target.path == "/token":
            self._send_token(query["user"])
        elif target.path.startswith("/dist/") and (file := COMPONENT / target.path[1:]).is_file():
            self._send(200, file.read_bytes(), "text/javascript")
        else:
            self._send(404, b"Not found", "text/plain")

    def _send_token(self, user: str) -> None:
        try:
            token = self.server.tokens(user)
        except httpx.TransportError:
            self._send(503, b"", "text/plain")
        else:
            self._send(200, json.dumps(token).encode(), "application/json")

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", self.server.policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Write nothing into the output of the tests."""


@contextmanager
def running() -> Iterator[Shop]:
    with Shop() as shop:
        thread = threading.Thread(target=shop.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield shop
        finally:
            shop.shutdown()
            thread.join()
