"""GET /v1/audit-log: who changed what is configured."""

from typing import Annotated

from fastapi import APIRouter, Query

from publisher_api.audit import service
from publisher_api.audit.model import AuditPage
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/audit-log", tags=["administration"], route_class=AuthenticatedRoute)
_MAX_LIMIT = 100
_MAX_ENTRY = 2**63 - 1
_Text = Annotated[str | None, Query(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")]


@router.get("", responses=problems(401, 403, 422, 503))
def list_entries(
    _producer: Producer,
    services: Services,
    principal: _Text = None,
    action: _Text = None,
    object: _Text = None,  # noqa: A002 - the name of the query's parameter
    limit: Annotated[int, Query(ge=1, le=_MAX_LIMIT)] = 20,
    before: Annotated[int | None, Query(ge=1, le=_MAX_ENTRY, description="The `next` of the page before.")] = None,
) -> AuditPage:
    """List administrative changes. The newest comes first."""
    return service.list_entries(
        services.pool, {"principal": principal, "action": action, "object": object}, limit, before
    )
