"""The sandbox's API for the page, tests and scripts: read what arrived, and inject faults."""

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from local.sandbox.fault_injector import Fault
from local.sandbox.provider_stub import ProviderStub
from local.sandbox.test_recipients import RECIPIENTS, Treatment

_TREATMENT_OF_STATUS: dict[int, Treatment] = {401: "deny", 429: "limit", 500: "broken", 503: "down"}


class FaultRequest(BaseModel):
    """The share ``rate`` of the requests for ``channel_type`` fails with ``status``; all wait ``delay_seconds``."""

    channel_type: Literal["email", "sms", "push", "webhook"]
    rate: float = Field(ge=0, le=1)
    status: Literal[401, 429, 500, 503] = 503
    delay_seconds: float = Field(default=0, ge=0, le=60)


def router(stub: ProviderStub) -> APIRouter:
    routes = APIRouter()

    @routes.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/arrivals")
    async def arrivals(since: int = 0, limit: Annotated[int, Query(ge=1, le=50_000)] = 1000) -> Response:
        """The arrivals with a number above ``since``: the newest ``limit`` of them, oldest first."""
        found = stub.arrivals.after(since, limit)
        return Response(msgspec.json.encode({"arrivals": found}), media_type="application/json")

    @routes.delete("/arrivals", status_code=204)
    async def clear_arrivals() -> None:
        """Delete all arrivals."""
        stub.arrivals.clear()

    @routes.get("/test-recipients")
    async def test_recipients() -> Response:
        """The recipients for which a provider fails, and how."""
        return Response(msgspec.json.encode(RECIPIENTS), media_type="application/json")

    @routes.put("/faults", status_code=204)
    async def inject_fault(fault: FaultRequest) -> None:
        """Inject a fault for one channel type. It replaces the fault injected before."""
        treatment = _TREATMENT_OF_STATUS[fault.status]
        stub.injector.faults[fault.channel_type] = Fault(fault.rate, treatment, fault.delay_seconds)

    @routes.delete("/faults", status_code=204)
    async def clear_faults() -> None:
        """Remove all injected faults. Test recipients keep failing."""
        stub.injector.faults.clear()

    return routes
