"""The live inbox seen from the API: how much is unread, and marking it read.

Postgres comes first; Firestore, which clients listen to, follows by a command on the topic. The command is in the
outbox of the same transaction, so neither can forget what the other knows.
"""

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from publisher_api.accept.request import UserId
from publisher_api.errors import Problem
from publisher_api.services import Producer, Services, Serving
from publisher_api.store import notifications, outbox
from publisher_api.store.pool import Connected
from shared.envelope import VERSION, Command

router = APIRouter(prefix="/v1/notifications", tags=["inbox"])


class BulkRead(BaseModel):
    """What to mark: some of a person's notifications by id, or with ``all`` everything they have."""

    model_config = ConfigDict(extra="forbid")

    user_id: UserId
    notification_ids: Annotated[list[UUID], Field(max_length=1000)] = Field(default_factory=list)
    all: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.all == bool(self.notification_ids):
            raise ValueError("give either `notification_ids` or `all`: true")
        return self


@router.get("/unread_count")
def unread_count(user_id: Annotated[UserId, Query()], _producer: Producer, services: Serving) -> dict[str, Any]:
    """How many notifications wait unread in the person's inbox."""
    with services.pool.connection() as connection:
        return {"user_id": user_id, "unread": notifications.count_unread(connection, user_id, services.clock())}


@router.post("/bulk/read")
def bulk_read(request: BulkRead, _producer: Producer, services: Serving) -> dict[str, Any]:
    """Mark several of a person's notifications read, or all of them. Ids of other people's are passed over."""
    with services.pool.connection() as connection:
        if request.all:
            marked = _mark_all(connection, services, request.user_id)
        else:
            ids = [str(each) for each in request.notification_ids]
            marked = _mark(connection, services, ids, request.user_id)
    services.desk.commands_waiting()
    return {"user_id": request.user_id, "marked": marked}


@router.post("/{notification_id}/read")
def read(notification_id: UUID, _producer: Producer, services: Serving) -> dict[str, Any]:
    """Mark one notification read. To mark it again changes nothing: `read_at` stays when it was first read."""
    with services.pool.connection() as connection:
        _mark(connection, services, [str(notification_id)], None)
        notification = notifications.get_notification(connection, str(notification_id))
    if notification is None:
        raise Problem(404, "not_found", f"There is no notification {notification_id}.")
    services.desk.commands_waiting()
    return {"notification_id": notification_id, "read_at": notification["read_at"]}


def _mark(connection: Connected, services: Services, ids: list[str], user_id: str | None) -> int:
    now = services.clock()
    marked = notifications.mark_read(connection, ids, user_id, now)
    in_inbox = [row["notification_id"] for row in marked if row["in_inbox"]]
    if in_inbox:
        # The ids are one person's: either the caller named the person, or there is one id.
        command = Command(v=VERSION, command="read", at=now, user_id=marked[0]["user_id"], notification_ids=in_inbox)
        outbox.add_command(connection, services.new_id(), command, now)
    return len(marked)


def _mark_all(connection: Connected, services: Services, user_id: str) -> int:
    now = services.clock()
    marked, on_their_way = notifications.mark_all_read(connection, user_id, now)
    if marked:
        command = Command(v=VERSION, command="read_all", at=now, user_id=user_id, notification_ids=on_their_way)
        outbox.add_command(connection, services.new_id(), command, now)
    return marked
