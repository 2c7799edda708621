"""Where outcomes come home: Pub/Sub pushes them here, signed by Google."""

import base64
import binascii
import logging

from fastapi import APIRouter, Response
from pydantic import BaseModel

from publisher_api.errors import Problem
from publisher_api.services import GooglePush, Serving
from shared.errors import Undecodable
from shared.outcomes import decode

router = APIRouter(prefix="/internal", tags=["internal"])
_log = logging.getLogger(__name__)


class PushedMessage(BaseModel):
    """Pub/Sub's message in a push: ``data`` is base64."""

    data: str = ""
    messageId: str = ""  # noqa: N815 - Pub/Sub's name


class Push(BaseModel):
    """The body of Pub/Sub's push request."""

    message: PushedMessage
    subscription: str = ""


@router.post("/outcomes", status_code=204, dependencies=[GooglePush])
async def receive(push: Push, services: Serving) -> Response:
    """Record one outcome. 204 once it is committed; 400 sends what cannot be read to the dead-letter topic."""
    try:
        outcome = decode(base64.b64decode(push.message.data, validate=True))
    except (Undecodable, binascii.Error) as error:
        _log.error("an outcome cannot be read", extra={"message_id": push.message.messageId, "error": str(error)})
        raise Problem(400, "invalid_request", f"The outcome cannot be read: {error}") from None
    await services.desk.record(outcome)
    return Response(status_code=204)
