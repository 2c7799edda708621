"""Whether we can work: asked by load balancers, uptime checks and people."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from publisher_api.services import PUBLIC, Serving

router = APIRouter(tags=["health", PUBLIC])


@router.get("/health")
@router.get("/v1/health")
async def health(services: Serving) -> JSONResponse:
    """`ok`; `degraded` while Pub/Sub is away (we accept, and deliver later); `down` with 503 while Postgres is."""
    found = await services.vitals.connections.get()
    if found["postgres"]["status"] != "ok":
        return JSONResponse({"status": "down", **found}, 503, {"Retry-After": "5"})
    status = "ok" if found["pubsub"]["status"] == "ok" else "degraded"
    return JSONResponse({"status": status, **found})


@router.get("/health/sweep")
async def sweep_health(services: Serving) -> JSONResponse:
    """`ok`, or `neglected` with 503 when work is long overdue: then nothing sweeps the outbox."""
    found = await services.vitals.sweep.get()
    return JSONResponse(found, 200 if found["status"] == "ok" else 503)
