"""Proxies between two services of the local stack. They pass every call on unchanged, and count it."""

import http.server
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import grpc
import urllib3

_THREADS = 32
_TIMEOUT_SECONDS = 120.0
_GRACE_SECONDS = 1.0
_STREAMING = frozenset({"BatchGetDocuments", "RunQuery", "RunAggregationQuery", "ListDocuments"})
_NOT_FORWARDED = ("user-agent", "grpc-", ":")
_HOP_BY_HOP = frozenset({"connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding"})


Counts = dict[str, float]
Inspect = Callable[[str, bytes, list[bytes]], Counts]
"""A function from a method's name, its request and its responses (as bytes) to what to count."""


@dataclass(slots=True)
class Counters:
    """Numbers by name, safe for threads. ``relay.messages`` is the ``messages`` of the proxy ``relay``."""

    _counts: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, proxy: str, counts: Counts) -> None:
        with self._lock:
            for name, count in counts.items():
                self._counts[f"{proxy}.{name}"] += count

    def read(self) -> Counts:
        with self._lock:
            return dict(self._counts)


class GrpcCountingProxy:
    """A gRPC server in front of ``upstream`` (``host:port``), for calls with one request and one or more responses."""

    def __init__(self, upstream: str, inspect: Inspect, counters: Counters, name: str) -> None:
        self._channel = grpc.insecure_channel(upstream)
        self._inspect = inspect
        self._counters = counters
        self._name = name
        self._server = grpc.server(ThreadPoolExecutor(_THREADS, thread_name_prefix="counting-proxy"))
        self._server.add_generic_rpc_handlers((_Handler(self._unary, self._stream),))
        self.host = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop(_GRACE_SECONDS).wait()
        self._channel.close()

    def _unary(self, method: str, request: bytes, context: Any) -> bytes:
        call = self._channel.unary_unary(method)
        try:
            response: bytes = call(request, timeout=context.time_remaining(), metadata=_metadata(context))
        except grpc.RpcError as error:
            self._count(method, request, [])
            context.set_trailing_metadata(error.trailing_metadata())
            context.abort(error.code(), error.details())
        self._count(method, request, [response])
        return response

    def _stream(self, method: str, request: bytes, context: Any) -> Iterator[bytes]:
        call = self._channel.unary_stream(method)
        try:
            responses = list(call(request, timeout=context.time_remaining(), metadata=_metadata(context)))
        except grpc.RpcError as error:
            context.set_trailing_metadata(error.trailing_metadata())
            context.abort(error.code(), error.details())
        self._count(method, request, responses)  # before the last is passed on: the caller may read the counters then
        yield from responses

    def _count(self, method: str, request: bytes, responses: list[bytes]) -> None:
        self._counters.add(self._name, self._inspect(method.rpartition("/")[2], request, responses))


@dataclass(frozen=True, slots=True)
class _Handler(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc publishes no types
    """Handles every method, and leaves its messages as bytes."""

    unary: Callable[[str, bytes, Any], bytes]
    stream: Callable[[str, bytes, Any], Iterator[bytes]]

    def service(self, details: Any) -> Any:
        method: str = details.method
        if method.rpartition("/")[2] in _STREAMING:
            return grpc.unary_stream_rpc_method_handler(lambda request, context: self.stream(method, request, context))
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self.unary(method, request, context))


def _metadata(context: Any) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in context.invocation_metadata() if not name.startswith(_NOT_FORWARDED)]


class HttpCountingProxy:
    """An HTTP server in front of ``upstream`` (``http://host:port``) that counts POST requests, bytes and seconds.

    The bytes are the request line, headers and body. The seconds are the time until the response.
    """

    def __init__(self, upstream: str, counters: Counters, name: str) -> None:
        pool = urllib3.PoolManager(maxsize=_THREADS)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with suppress(ConnectionError):  # a caller that exits may leave its connections open
                    super().handle()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
                size = len(self.requestline) + len(self.headers.as_bytes()) + len(body)
                began = time.monotonic()
                response = pool.request(
                    "POST", upstream + self.path, body=body, headers=headers, timeout=_TIMEOUT_SECONDS, retries=False
                )
                counters.add(name, {"calls": 1, "bytes": size, "seconds": time.monotonic() - began})
                self.send_response(response.status)
                for header, value in response.headers.items():
                    if header.lower() not in _HOP_BY_HOP:
                        self.send_header(header, value)
                self.send_header("Content-Length", str(len(response.data)))
                self.end_headers()
                self.wfile.write(response.data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                pass  # the counters are enough

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name=f"counting-proxy-{name}", daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
