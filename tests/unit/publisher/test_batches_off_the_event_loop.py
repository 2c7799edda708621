"""A batch is parsed in a thread: while it takes its time, the event loop answers others."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from publisher_api.accept.model import AcceptRequest, AcceptResult
from publisher_api.app import create_app
from publisher_api.connections import connect
from publisher_api.hosting.container import ContainerBackend
from publisher_api.principal import Principal, Scope
from publisher_api.refusal import Refusal, RefusalCode, overloaded
from publisher_api.settings import Settings
from publisher_api.web.producers import Producers
from shared.profile import Profile

HEADERS = {"Authorization": "Bearer any"}
SETTINGS = Settings(database_url="postgresql://none@/none", profile=Profile.POSTGRES)


class AnyProducer(Producers):
    """Takes any credential for that of an administrator."""

    def __init__(self) -> None:
        pass

    async def of(self, credential: str) -> Principal:
        return Principal("shop", credential, frozenset({Scope.ADMIN}))


class Backend(ContainerBackend):
    """A backend that is not started, and calls neither Postgres nor Pub/Sub."""

    def __init__(self) -> None:
        to = connect(SETTINGS, {}, 1)
        super().__init__(
            to.pool, to.topic, to.cache, to.shares, "", lambda: datetime.now(UTC), lambda: "id", read_epoch=to.epoch
        )


class Full(Backend):
    """Refuses every batch, and keeps the function that would parse it."""

    parse: Callable[[], AcceptRequest] | None = None

    async def accept_batch(self, parse: Callable[[], AcceptRequest], producer: str) -> AcceptResult | Refusal:  # noqa: ARG002 - the port
        self.parse = parse
        raise overloaded()


def test_the_event_loop_serves_others_while_a_batch_is_parsed() -> None:
    async def scenario() -> None:
        served = threading.Event()

        def parse() -> AcceptRequest:
            assert served.wait(10), "the event loop waits for the batch"
            raise Refusal(RefusalCode.MALFORMED_JSON, "")

        batch = asyncio.create_task(Backend().accept_batch(parse, "shop"))
        await asyncio.sleep(0)  # the batch begins
        served.set()
        with pytest.raises(Refusal):
            await batch

    asyncio.run(scenario())


def test_the_route_leaves_the_parsing_to_the_backend() -> None:
    app = create_app(SETTINGS)
    backend = Full()
    services = app.state.services
    app.state.services = replace(services, backend=backend, producers=AnyProducer())

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://publisher", headers=HEADERS
        ) as http:
            return await http.post("/v1/notifications/batch", content=b"{")

    response = asyncio.run(post())
    assert response.json()["type"] == "urn:heliograph:problem:overloaded"
    assert backend.parse is not None
    with pytest.raises(Refusal, match="cannot be parsed as JSON"):
        backend.parse()
