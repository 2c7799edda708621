"""POST /v1/users/{user_id}/inbox_token: a producer gets a token for its user."""

from fastapi import APIRouter

from publisher_api.fields import UserId
from publisher_api.inbox.model import InboxToken
from publisher_api.web.authentication import AuthenticatedRoute
from publisher_api.web.documentation import problems
from publisher_api.web.services import Producer, Services

router = APIRouter(prefix="/v1/users", tags=["users"], route_class=AuthenticatedRoute)


@router.post("/{user_id}/inbox_token", responses=problems(401, 403, 404, 422))
def make_inbox_token(user_id: UserId, _producer: Producer, services: Services) -> InboxToken:
    """Make a token for this user's own inbox. Give it to the user's client only: it opens the inbox for an hour."""
    token, expires_at = services.inbox_tokens.issue(user_id)
    return InboxToken(token=token, expires_at=expires_at, user_id=user_id)
