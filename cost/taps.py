"""Taps: what stands between two parts of the local stack, passes everything on, and counts it."""

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
_OURS = ("user-agent", "grpc-", ":")
_HOP_BY_HOP = frozenset({"connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding"})


Counts = dict[str, float]
Inspect = Callable[[str, bytes, list[bytes]], Counts]
"""From a method's name, its request and its answers (as bytes) to what is to be counted."""


@dataclass(slots=True)
class Tally:
    """Numbers by name that any thread may add to: ``firestore.writes`` is what the tap ``firestore`` saw of them."""

    _counts: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, tap: str, counts: Counts) -> None:
        with self._lock:
            for name, count in counts.items():
                self._counts[f"{tap}.{name}"] += count

    def read(self) -> Counts:
        with self._lock:
            return dict(self._counts)


class GrpcTap:
    """A gRPC server in front of ``upstream`` (``host:port``), for calls with one request and one answer or many."""

    def __init__(self, upstream: str, inspect: Inspect, tally: Tally, name: str) -> None:
        self._channel = grpc.insecure_channel(upstream)
        self._inspect = inspect
        self._tally = tally
        self._name = name
        self._server = grpc.server(ThreadPoolExecutor(_THREADS, thread_name_prefix="tap"))
        self._server.add_generic_rpc_handlers((_Handler(self._unary, self._stream),))
        self.host = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop(_GRACE_SECONDS).wait()
        self._channel.close()

    def _unary(self, method: str, request: bytes, context: Any) -> bytes:
        call = self._channel.unary_unary(method)
        try:
            answer: bytes = call(request, timeout=context.time_remaining(), metadata=_metadata(context))
        except grpc.RpcError as error:
            self._count(method, request, [])
            context.set_trailing_metadata(error.trailing_metadata())
            context.abort(error.code(), error.details())
        self._count(method, request, [answer])
        return answer

    def _stream(self, method: str, request: bytes, context: Any) -> Iterator[bytes]:
        call = self._channel.unary_stream(method)
        try:
            answers = list(call(request, timeout=context.time_remaining(), metadata=_metadata(context)))
        except grpc.RpcError as error:
            context.set_trailing_metadata(error.trailing_metadata())
            context.abort(error.code(), error.details())
        self._count(method, request, answers)  # before the last is passed on: then the caller may look at the tally
        yield from answers

    def _count(self, method: str, request: bytes, answers: list[bytes]) -> None:
        self._tally.add(self._name, self._inspect(method.rpartition("/")[2], request, answers))


@dataclass(frozen=True, slots=True)
class _Handler(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc publishes no types
    """Takes every method, and leaves its messages as they are."""

    unary: Callable[[str, bytes, Any], bytes]
    stream: Callable[[str, bytes, Any], Iterator[bytes]]

    def service(self, details: Any) -> Any:
        method: str = details.method
        if method.rpartition("/")[2] in _STREAMING:
            return grpc.unary_stream_rpc_method_handler(lambda request, context: self.stream(method, request, context))
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self.unary(method, request, context))


def _metadata(context: Any) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in context.invocation_metadata() if not name.startswith(_OURS)]


class HttpTap:
    """An HTTP server in front of ``upstream`` (``http://host:port``), which counts requests, their bytes, and seconds.

    Bytes are those of the request's line, headers and body; seconds are how long its answer took.
    """

    def __init__(self, upstream: str, tally: Tally, name: str) -> None:
        pool = urllib3.PoolManager(maxsize=_THREADS)

        class Passing(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with suppress(ConnectionError):  # a caller that ends leaves its connections as they are
                    super().handle()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
                size = len(self.requestline) + len(self.headers.as_bytes()) + len(body)
                began = time.monotonic()
                answer = pool.request(
                    "POST", upstream + self.path, body=body, headers=headers, timeout=_TIMEOUT_SECONDS, retries=False
                )
                tally.add(name, {"calls": 1, "bytes": size, "seconds": time.monotonic() - began})
                self.send_response(answer.status)
                for header, value in answer.headers.items():
                    if header.lower() not in _HOP_BY_HOP:
                        self.send_header(header, value)
                self.send_header("Content-Length", str(len(answer.data)))
                self.end_headers()
                self.wfile.write(answer.data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name the base class gave
                pass  # what is counted is enough

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Passing)
        self._thread = threading.Thread(target=self._server.serve_forever, name=f"tap-{name}", daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
