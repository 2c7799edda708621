"""TLS in front of a Postgres that has none: answers the client's request for TLS, and forwards the rest."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_REQUESTS = {(1234 << 16 | 5679).to_bytes(4): True, (1234 << 16 | 5680).to_bytes(4): False}
"""Postgres's requests for TLS, which is granted, and for GSSAPI, which is not."""


@contextmanager
def tls_front(socket: Path, certificate: Path, key: Path) -> Iterator[int]:
    """Serve the Postgres at the Unix socket ``socket`` on a port of localhost; yields the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    loop = asyncio.new_event_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            is_tls = False
            while not is_tls:
                is_tls = _REQUESTS[(await reader.readexactly(8))[4:]]
                writer.write(b"S" if is_tls else b"N")
                await writer.drain()
            await writer.start_tls(context)
            from_server, to_server = await asyncio.open_unix_connection(str(socket))
            await asyncio.gather(_forward(reader, to_server), _forward(from_server, writer))

    async def listen() -> int:
        server = await asyncio.start_server(serve, "localhost", 0, family=2)
        port: int = server.sockets[0].getsockname()[1]
        return port

    port = loop.run_until_complete(listen())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        open_connections = asyncio.all_tasks(loop)
        for connection in open_connections:
            connection.cancel()
        if open_connections:
            loop.run_until_complete(asyncio.wait(open_connections))
        loop.close()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
