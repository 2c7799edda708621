"""A real HTTP server that gives the answers of a test and keeps the requests."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. ``silent``: read the request and never answer. ``hang_up``: read it and close the connection.

    ``drip``: send the head of the answer byte by byte, with a pause of ``DRIP_SECONDS`` after each byte.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    hang_up: bool = False
    drip: bool = False

    @classmethod
    def json(cls, status: int, body: object, **headers: str) -> "Answer":
        return cls(status, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})


DRIP_SECONDS = 0.05
SILENCE = Answer(silent=True)
HANG_UP = Answer(hang_up=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode())


class ScriptedServer:
    """Gives ``answers`` in turn and repeats the last one. ``together``: when so many requests wait for theirs."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[Asked] = []
        self.connections = 0
        self.together: threading.Barrier | None = None
        self.answers = [Answer()]
        self.closing = threading.Event()

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    script: ScriptedServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: a client may refuse our certificate."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"  # a connection is kept after the answer

    def setup(self) -> None:
        super().setup()
        self.script = self.server.script
        self.script.connections += 1

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.script.answer(Asked(self.command, self.path, self.headers, body))
        if self.script.together is not None:
            self.script.together.wait()
        if answer.silent:
            self.script.closing.wait()
        if answer.silent or answer.hang_up:
            self.close_connection = True
            return
        if answer.drip:
            self.drip(f"HTTP/1.1 {answer.status} OK\r\nX-Filler: {'x' * 60}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def drip(self, head: bytes) -> None:
        self.close_connection = True
        with suppress(OSError):  # the client may close the connection first
            for byte in head:
                self.wfile.write(bytes([byte]))
                self.script.closing.wait(DRIP_SECONDS)

    do_GET = do_POST = do_PUT = do_PATCH = handle_any  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(
    tls: ssl.SSLContext | None = None, script_at: Callable[[str], ScriptedServer] = ScriptedServer
) -> Iterator[ScriptedServer]:
    """A server on a free port of this machine, with ``tls`` if it is given. ``script_at`` makes what answers there."""
    http = _Server(("127.0.0.1", 0), _Handler)
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    script = http.script = script_at(f"{'http' if tls is None else 'https'}://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        script.closing.set()
        http.shutdown()
        http.server_close()
        thread.join()
