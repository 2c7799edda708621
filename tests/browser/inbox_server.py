"""A scripted publisher for the web component: the inbox routes over an inbox in memory, and pages that use it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.browser.scripted_inbox import ScriptedInbox, order

COMPONENT = Path(__file__).parents[2] / "web" / "inbox"
BEAT_S = 1.0
TYPES = {".js": "text/javascript", ".html": "text/html; charset=utf-8"}
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-test'; connect-src 'self'; style-src 'nonce-test';"
    " require-trusted-types-for 'script'"
)
MARKS = {"read": "read_at", "read_all": "read_at", "archive": "archived_at", "seen": "seen_at"}


@contextmanager
def scripted_inbox(page: Callable[[str], str]) -> Iterator[ScriptedInbox]:
    """Serve ``page(query)`` at /, the component's built files at /dist, and the inbox routes at /v1/inbox."""
    server = _Server(page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.inbox
    finally:
        server.inbox.end()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, page: Callable[[str], str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.page = page
        self.inbox = ScriptedInbox(f"http://127.0.0.1:{self.server_port}")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore it: a browser that closes a page cuts its connections."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        if target.path == "/":
            page = self.server.page(target.query).encode()
            self._send(200, page, ".html", {"Content-Security-Policy": POLICY})
        elif target.path == "/token":
            self._send(200, json.dumps(self.server.inbox.issued).encode())
        elif target.path.startswith("/dist/") and (file := COMPONENT / target.path[1:]).is_file():
            self._send(200, file.read_bytes(), file.suffix)
        elif not target.path.startswith("/v1/inbox"):
            self._send(404, b"Not found", ".html")
        elif not self._allowed():
            return
        elif target.path == "/v1/inbox/live":
            self._stream()
        else:
            self._page(**{name: values[0] for name, values in parse_qs(target.query).items()})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if not self._allowed():
            return
        inbox, action = self.server.inbox, self.path.rsplit("/", 1)[1]
        ids = json.loads(body)["notification_ids"] if body else list(inbox.entries)
        self._send(200, json.dumps({"marked": inbox.mark(MARKS[action], ids)}).encode())

    def _allowed(self) -> bool:
        inbox = self.server.inbox
        if inbox.failing:
            self._send(503)
        elif (self.headers["Authorization"] or "").removeprefix("Bearer ") != inbox.accepted:
            self._send(401)
        else:
            return True
        return False

    def _page(self, tab: str = "all", limit: str = "20", before: str = "") -> None:
        inbox = self.server.inbox
        with inbox.changed:
            older = [each for each in inbox.newest(tab) if not before or list(order(each)) < json.loads(before)]
            shown = older[: int(limit)]
            following = json.dumps(order(shown[-1])) if len(older) > len(shown) else None
            counted = {"entries": shown, "counts": inbox.counts(), "version": inbox.version, "next": following}
            content = json.dumps(counted).encode()
        self._send(200, content)

    def _stream(self) -> None:
        inbox, last = self.server.inbox, self.headers["Last-Event-ID"]
        inbox.resumed_after.append(last)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        known, stream = None if last is None else int(last), inbox.streams
        with suppress(OSError):
            self.wfile.write(b"retry: 100\n\n")
            while inbox.wait_for_change(known, stream, BEAT_S):
                known = self._report(known)

    def _report(self, known: int | None) -> int:
        """Send what is newer than ``known``, or a beat if nothing is. Returns what is known then."""
        inbox = self.server.inbox
        with inbox.changed:
            version, (event, entries) = inbox.version, inbox.since(known)
            data = json.dumps({"entries": entries, "counts": inbox.counts(), "version": version})
        beat = version == known
        self.wfile.write(b": beat\n\n" if beat else f"event: {event}\nid: {version}\ndata: {data}\n\n".encode())
        return version

    def _send(self, status: int, body: bytes = b"", suffix: str = ".js", more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": TYPES[suffix], "Content-Length": str(len(body)), **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Write nothing into the output of the tests."""
