"""The limit of all request bodies that are held in memory at one time."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from publisher_api.web.body_limit import BodyLimit


class Held:
    """An application that reads the body of a request and answers after `released` is set."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.released = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        self.begun.set()
        await self.released.wait()
        await PlainTextResponse("read")(scope, receive, send)


def run(scenario: Callable[[Held, httpx.AsyncClient], Awaitable[list[httpx.Response]]]) -> list[httpx.Response]:
    async def client() -> list[httpx.Response]:
        app = Held()
        transport = httpx.ASGITransport(BodyLimit(app, max_bytes_in_flight=1000))
        async with httpx.AsyncClient(transport=transport, base_url="http://publisher") as http:
            return await scenario(app, http)

    return asyncio.run(client())


def test_bodies_that_are_too_large_together_are_refused_at_once() -> None:
    async def scenario(app: Held, http: httpx.AsyncClient) -> list[httpx.Response]:
        first = asyncio.create_task(http.post("/", content=b"x" * 800))
        await app.begun.wait()
        second = await http.post("/", content=b"x" * 300)
        app.released.set()
        return [await first, second, await http.post("/", content=b"x" * 900)]

    first, second, later = run(scenario)
    assert (first.status_code, later.status_code) == (200, 200)
    assert (second.status_code, second.json()["type"]) == (503, "urn:heliograph:problem:overloaded")
    assert int(second.headers["Retry-After"]) > 0


def test_a_body_that_is_refused_counts_no_longer() -> None:
    async def scenario(app: Held, http: httpx.AsyncClient) -> list[httpx.Response]:
        app.released.set()
        return [await http.post("/", content=b"x" * size) for size in (1001, 1000)]

    assert [response.status_code for response in run(scenario)] == [503, 200]
