"""A closed loop of HTTP requests over a number of connections: each sends its next request when it has its answer.

Bytes go out as they were prepared and answers are only measured, so that the generator leaves the cores to what it
measures. Runs in a process of its own: ``python -m bench.load`` reads one ``Job`` as JSON and prints one ``Result``.
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

_EXPECTED = b"HTTP/1.1 2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to send where. ``seconds`` is how long, after ``warm_up`` seconds that do not count."""

    url: str
    body: str
    headers: dict[str, str]
    connections: int = 32
    seconds: float = 5.0
    warm_up: float = 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """Requests a second, and how long they took in milliseconds.

    ``failed`` counts answers that were no 2xx, ``failure`` is the first of them.
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
        if not head.startswith(_EXPECTED):
            self.failed += 1
            self.failure = self.failure or self._buffer.decode(errors="replace")
        self._buffer = b""
        if not self._done.is_set():
            self._send()


async def _run(job: Job) -> Result:
    address = urlsplit(job.url)
    fields = {"Host": address.netloc, "Content-Type": "application/json", "Content-Length": str(len(job.body.encode()))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**fields, **job.headers}.items())
    request = f"POST {address.path} HTTP/1.1\r\n{lines}\r\n{job.body}".encode()
    if address.hostname is None or address.port is None:
        message = f"The address of a job needs a host and a port: {job.url}"
        raise ValueError(message)
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    made = [
        await loop.create_connection(lambda: _Connection(request, done), address.hostname, address.port)
        for _ in range(job.connections)
    ]
    await asyncio.sleep(job.warm_up)
    begin = time.perf_counter()
    await asyncio.sleep(job.seconds)
    end = time.perf_counter()
    done.set()
    for transport, _ in made:
        transport.close()
    protocols = [protocol for _, protocol in made]
    counted = sorted(took * 1000 for p in protocols for at, took in p.times if begin <= at <= end)
    return Result(
        rate=round(len(counted) / (end - begin), 1),
        p50=round(counted[len(counted) // 2], 2),
        p99=round(counted[len(counted) * 99 // 100], 2),
        requests=len(counted),
        failed=sum(protocol.failed for protocol in protocols),
        failure=next((protocol.failure for protocol in protocols if protocol.failure), ""),
    )


def load(job: Job) -> Result:
    """Run a job in a process of its own. Raises ``CalledProcessError``."""
    command = [sys.executable, "-m", "bench.load"]
    done = subprocess.run(command, input=json.dumps(asdict(job)), capture_output=True, text=True, check=True)
    return Result(**json.loads(done.stdout))


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(_run(Job(**json.load(sys.stdin)))))))
