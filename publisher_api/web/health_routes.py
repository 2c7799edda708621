"""Health, for load balancers, uptime checks and operators."""

from fastapi import APIRouter, Response

from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.health import HealthView, ReadyView, SweepView
from publisher_api.web.services import Services

router = APIRouter(tags=["health"], route_class=AuthenticatedRoute)
_UNAVAILABLE = 503


@router.get("/health", responses={_UNAVAILABLE: {"model": HealthView}}, response_model_exclude_none=True)
@router.get("/v1/health", responses={_UNAVAILABLE: {"model": HealthView}}, response_model_exclude_none=True)
async def health(services: Services, response: Response) -> HealthView:
    """Whether requests are accepted. `degraded`: Pub/Sub is unavailable and notifications wait. `down`: Postgres is."""
    found = await services.health.connections.get()
    if found.status == "down":
        response.status_code = _UNAVAILABLE
        response.headers["Retry-After"] = "5"
    return found


@router.get("/health/ready")
async def ready() -> ReadyView:
    """Whether this process serves requests. It asks no other service: restarting it would not repair one."""
    return ReadyView()


@router.get("/health/sweep", responses={_UNAVAILABLE: {"model": SweepView}}, response_model_exclude_none=True)
async def sweep_health(services: Services, response: Response) -> SweepView:
    """Whether work is done in time. `overdue`: nothing sweeps the outbox, or outcomes have been missing for an hour."""
    found = await services.health.sweep.get()
    if found.status != "ok":
        response.status_code = _UNAVAILABLE
    return found
