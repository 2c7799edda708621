"""A closed loop of HTTP requests: each connection sends its next request when it has the response to the last.

The request is built once and responses are not parsed further than needed, so that the generator takes little CPU from
the server. It runs in a process of its own: ``python -m bench.load`` reads a ``Job`` as JSON and prints a ``Result``.
"""

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import cast
from urllib.parse import urlsplit

import uvloop

_SUCCESS = b"HTTP/1.1 2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to send, and where. The measurement takes ``seconds``, after ``warm_up`` seconds that are not measured."""

    url: str
    body: str
    headers: dict[str, str]
    connections: int = 32
    seconds: float = 5.0
    warm_up: float = 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """``rate`` is in requests per second, ``p50`` and ``p99`` are in milliseconds.

    ``failed`` is the number of responses other than 2xx, and ``failure`` the first of them.
    """

    rate: float
    p50: float
    p99: float
    requests: int
    failed: int
    failure: str


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, done: asyncio.Event) -> None:
        self._request = request
        self._done = done
        self._sent_at = 0.0
        self._buffer = b""
        self.times: list[tuple[float, float]] = []
        self.failed = 0
        self.failure = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._send()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")
        if len(body) < length:
            return
        now = time.perf_counter()
        self.times.append((now, now - self._sent_at))
        if not head.startswith(_SUCCESS):
            self.failed += 1
            self.failure = self.failure or self._buffer.decode(errors="replace")
        self._buffer = b""
        if not self._done.is_set():
            self._send()


async def _run(job: Job) -> Result:
    url = urlsplit(job.url)
    fields = {"Host": url.netloc, "Content-Type": "application/json", "Content-Length": str(len(job.body.encode()))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**fields, **job.headers}.items())
    request = f"POST {url.path} HTTP/1.1\r\n{lines}\r\n{job.body}".encode()
    if url.hostname is None or url.port is None:
        message = f"The URL of a job needs a host and a port, and {job.url!r} lacks one."
        raise ValueError(message)
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    connections = [
        await loop.create_connection(lambda: _Connection(request, done), url.hostname, url.port)
        for _ in range(job.connections)
    ]
    await asyncio.sleep(job.warm_up)
    begin = time.perf_counter()
    await asyncio.sleep(job.seconds)
    end = time.perf_counter()
    done.set()
    for transport, _ in connections:
        transport.close()
    protocols = [protocol for _, protocol in connections]
    times = sorted(seconds * 1000 for p in protocols for at, seconds in p.times if begin <= at <= end)
    return Result(
        rate=round(len(times) / (end - begin), 1),
        p50=round(times[len(times) // 2], 2),
        p99=round(times[len(times) * 99 // 100], 2),
        requests=len(times),
        failed=sum(protocol.failed for protocol in protocols),
        failure=next((protocol.failure for protocol in protocols if protocol.failure), ""),
    )


def load(job: Job) -> Result:
    """Run ``job`` in a process of its own. Raises ``CalledProcessError``."""
    command = [sys.executable, "-m", "bench.load"]
    done = subprocess.run(command, input=json.dumps(asdict(job)), capture_output=True, text=True, check=True)
    return Result(**json.loads(done.stdout))


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(_run(Job(**json.load(sys.stdin)))))))
