"""What tests and scripts ask of the sandbox: what arrived, and to fail."""

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from local.sandbox.provider_stub import Desk
from local.sandbox.test_recipients import RECIPIENTS, Fault, Treatment

_TREATMENT_OF_STATUS: dict[int, Treatment] = {401: "deny", 429: "limit", 500: "broken", 503: "down"}


class FaultRequest(BaseModel):
    """Of the requests for ``channel``, let the share ``rate`` fail with ``status``; let all take ``delay_seconds``."""

    channel: Literal["email", "sms", "push", "webhook"]
    rate: float = Field(ge=0, le=1)
    status: Literal[401, 429, 500, 503] = 503
    delay_seconds: float = Field(default=0, ge=0, le=60)


def router(desk: Desk) -> APIRouter:
    routes = APIRouter()

    @routes.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/arrivals")
    async def arrivals(since: int = 0, limit: Annotated[int, Query(ge=1, le=50_000)] = 1000) -> Response:
        """What came after number ``since``, oldest first: the newest ``limit`` of it."""
        found = desk.arrivals.after(since, limit)
        return Response(msgspec.json.encode({"arrivals": found}), media_type="application/json")

    @routes.delete("/arrivals", status_code=204)
    async def forget() -> None:
        desk.arrivals.clear()

    @routes.get("/magic")
    async def magic() -> Response:
        return Response(msgspec.json.encode(RECIPIENTS), media_type="application/json")

    @routes.put("/faults", status_code=204)
    async def fail(fault: FaultRequest) -> None:
        treatment = _TREATMENT_OF_STATUS[fault.status]
        desk.temper.faults[fault.channel] = Fault(fault.rate, treatment, fault.delay_seconds)

    @routes.delete("/faults", status_code=204)
    async def mend() -> None:
        desk.temper.faults.clear()

    return routes
