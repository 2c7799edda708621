"""uvicorn with the publisher's connections."""

import socket
import sys
import threading
import time

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from local.processes import free_port
from publisher_api.hosting.server import HttpConnection
from tests.publisher.topic import waiting_for


class Impatient(HttpConnection):
    gone_seconds = 1


async def much(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Send more than the buffers of both sockets hold."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": bytes(50_000_000)})


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such option")
@pytest.mark.parametrize(("kind", "is_dropped"), [(Impatient, True), (HttpConnection, False)])
def test_a_connection_whose_client_takes_nothing_is_dropped_by_the_kernel(
    kind: type[HttpConnection], *, is_dropped: bool
) -> None:
    port = free_port()
    config = uvicorn.Config(much, host="127.0.0.1", port=port, http=kind, lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        waiting_for(lambda: server.started, "the server to start")
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            waiting_for(lambda: bool(server.server_state.connections), "the connection")
            if is_dropped:
                waiting_for(lambda: not server.server_state.connections, "the connection to be dropped")
            else:
                time.sleep(4)
                assert server.server_state.connections
    finally:
        server.should_exit = True
        thread.join()
