"""GET /v1/users/{user_id}/export: everything that is stored of a user."""

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from publisher_api.export import service
from publisher_api.export.model import UserExport
from publisher_api.fields import UserId
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/users", tags=["privacy"], route_class=AuthenticatedRoute)


@router.get("/{user_id}/export", response_model=UserExport, responses=problems(401, 403, 422, 503))
def export_user(user_id: UserId, _producer: Producer, services: Services) -> StreamingResponse:
    """Export everything that is stored of a user, also of one who has notifications only. Nothing is redacted."""
    return StreamingResponse(service.export(services.pool, user_id), media_type="application/json")
