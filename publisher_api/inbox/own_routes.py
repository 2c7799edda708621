"""/v1/inbox: the inbox of the user who calls, with an inbox token."""

from typing import Annotated

from fastapi import APIRouter, Query

from publisher_api.fields import Name
from publisher_api.inbox.model import InboxPage, MarkRequest, MarkResult, Tab
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Caller, Services

router = APIRouter(prefix="/v1/inbox", tags=["own inbox"], route_class=AuthenticatedRoute)
_MAX_LIMIT = 100


@router.get("", responses=problems(401, 403, 422, 503))
def list_entries(
    user: Caller,
    services: Services,
    tab: Annotated[Tab, Query()] = Tab.ALL,
    limit: Annotated[int, Query(ge=1, le=_MAX_LIMIT)] = 20,
    before: Annotated[str | None, Query(max_length=500, description="The `next` of the page before.")] = None,
    tenant: Annotated[Name | None, Query(description="Only the entries of this tenant, and their counts.")] = None,
) -> InboxPage:
    """List the entries of the inbox. The newest delivery comes first."""
    return services.inbox.page(user.user_id, tenant, tab, limit, before)


@router.post("/read", responses=problems(400, 401, 403, 413, 422, 503))
def mark_read(request: MarkRequest, user: Caller, services: Services) -> MarkResult:
    """Mark entries as read. Marking them again changes nothing."""
    return MarkResult(marked=services.inbox.mark("read_at", user.user_id, request.notification_ids))


@router.post("/read_all", responses=problems(401, 403, 503))
def mark_all_read(user: Caller, services: Services) -> MarkResult:
    """Mark every entry as read."""
    return MarkResult(marked=services.inbox.mark_all_read(user.user_id))


@router.post("/seen", responses=problems(401, 403, 503))
def mark_seen(user: Caller, services: Services) -> MarkResult:
    """Mark every entry that was delivered by now as seen. Call it when the list is shown."""
    return MarkResult(marked=services.inbox.mark_seen(user.user_id))


@router.post("/archive", responses=problems(400, 401, 403, 413, 422, 503))
def archive(request: MarkRequest, user: Caller, services: Services) -> MarkResult:
    """Archive entries. They stay in the tab `archived`, and count as neither unseen nor unread."""
    return MarkResult(marked=services.inbox.mark("archived_at", user.user_id, request.notification_ids))
