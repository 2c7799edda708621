"""Whether we can work: asked by load balancers, uptime checks and people."""

import time
from typing import Any

import psycopg
from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout

from publisher_api.services import PUBLIC, Services, Serving
from publisher_api.store import outbox
from publisher_api.topic import PublishError

router = APIRouter(tags=["health", PUBLIC])


@router.get("/health")
@router.get("/v1/health")
async def health(services: Serving) -> JSONResponse:
    """`ok`; `degraded` while Pub/Sub is away (we accept, and deliver later); `down` with 503 while Postgres is."""
    postgres = await run_in_threadpool(_postgres, services)
    pubsub = await run_in_threadpool(_pubsub, services)
    if postgres["status"] != "ok":
        return JSONResponse({"status": "down", "postgres": postgres, "pubsub": pubsub}, 503, {"Retry-After": "5"})
    status = "ok" if pubsub["status"] == "ok" else "degraded"
    return JSONResponse({"status": status, "postgres": postgres, "pubsub": pubsub})


@router.get("/health/sweep")
async def sweep_health(services: Serving) -> JSONResponse:
    """`ok`, or `neglected` with 503 when work is long overdue: then nothing sweeps the outbox."""
    try:
        neglected = await run_in_threadpool(_neglected, services)
    except (psycopg.Error, PoolTimeout) as error:
        return JSONResponse({"status": "unknown", "error": type(error).__name__}, 503)
    return JSONResponse({"status": "neglected"}, 503) if neglected else JSONResponse({"status": "ok"})


def _neglected(services: Services) -> bool:
    with services.pool.connection() as connection:
        return outbox.is_neglected(connection, services.clock())


def _postgres(services: Services) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        with services.pool.connection() as connection:
            connection.execute("select 1")
    except (psycopg.Error, PoolTimeout) as error:
        return {"status": "unreachable", "error": type(error).__name__}
    return {"status": "ok", "ms": _milliseconds_since(started)}


def _pubsub(services: Services) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        services.topic.check()
    except PublishError as error:
        return {"status": "unreachable", "error": type(error).__name__}
    return {"status": "ok", "ms": _milliseconds_since(started)}


def _milliseconds_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
