"""The push bridge in a process of its own, and a server for what it pushes."""

import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import jwt

from local.oidc_gate import OidcGate
from local.processes import Child, answers
from shared.topology import RetryProfile

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SERVICE_ACCOUNT = "push@heliograph.test"
AUDIENCE = "https://receiver.test"
READY_SECONDS = 20


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 100


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class has this name
        pass


@contextmanager
def serving(application: "WSGIApplication", port: int) -> Iterator[str]:
    """Serve ``application`` during the block, each request in a thread of its own; yields its URL."""
    with make_server("127.0.0.1", port, application, _Server, _QuietHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def bridging(
    pubsub_host: str, project: str, urls: Mapping[str, str], log: Path, pauses: RetryProfile, port: int
) -> Iterator[str]:
    """Push each subscription of ``urls`` to its URL during the block; yields the URL of the bridge, on ``port``.

    ``pauses`` shortens those of the push back-off.
    """
    environment = {
        "GOOGLE_CLOUD_PROJECT": project,
        "PUBSUB_EMULATOR_HOST": pubsub_host,
        "BRIDGE_PORT": str(port),
        "BRIDGE_SERVICE_ACCOUNT": SERVICE_ACCOUNT,
        "BRIDGE_TARGETS": json.dumps({name: {"url": url, "audience": AUDIENCE} for name, url in urls.items()}),
        "RETRY_PROFILE": pauses.name,
    }
    process = Child.start(
        "push_bridge", [sys.executable, "-m", "local.push_bridge"], log=log, env=os.environ | environment
    )
    try:
        url = f"http://127.0.0.1:{port}"
        process.wait_ready(lambda: answers(f"{url}/health"), READY_SECONDS)
        yield url
    finally:
        process.stop()


def gated(application: "WSGIApplication", bridge_port: int) -> OidcGate:
    """``application`` behind the gate, which lets only the bridge on ``bridge_port`` pass."""
    return OidcGate(application, jwt.PyJWKClient(f"http://127.0.0.1:{bridge_port}/certs"), AUDIENCE, SERVICE_ACCOUNT)
