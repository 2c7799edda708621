"""/v1/api-keys: the credentials of producers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from publisher_api.api_keys.model import CreatedKey, KeyFields, KeyPage, RotateFields
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/api-keys", tags=["administration"], route_class=AuthenticatedRoute)
_MAX_LIMIT = 100


@router.get("", responses=problems(401, 403, 422, 503))
def list_keys(
    _producer: Producer,
    services: Services,
    limit: Annotated[int, Query(ge=1, le=_MAX_LIMIT)] = 20,
    before: Annotated[UUID | None, Query(description="The `next` of the page before.")] = None,
) -> KeyPage:
    """List the API keys, also those that ended. The newest comes first."""
    return services.api_keys.list(limit, before)


@router.post("", status_code=201, responses=problems(400, 401, 403, 413, 422, 503))
def create_key(fields: KeyFields, producer: Producer, services: Services) -> CreatedKey:
    """Create an API key. Its secret is in this answer and nowhere else."""
    return services.api_keys.create(fields, producer)


@router.post("/{key_id}/rotate", status_code=201, responses=problems(400, 401, 403, 404, 413, 422, 503))
def rotate_key(key_id: UUID, fields: RotateFields, producer: Producer, services: Services) -> CreatedKey:
    """Create a key in place of another, with its scopes. The other one stays valid for `overlap_seconds`."""
    return services.api_keys.rotate(key_id, fields, producer)


@router.delete("/{key_id}", status_code=204, responses=problems(401, 403, 404, 422, 503))
def revoke_key(key_id: UUID, producer: Producer, services: Services) -> Response:
    """Revoke an API key. Every instance refuses it within a minute: at once if it listens to Postgres."""
    services.api_keys.revoke(key_id, producer)
    return Response(status_code=204)
