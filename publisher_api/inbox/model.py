"""Requests and responses of the inbox routes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from publisher_api.fields import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A notification that was just marked as read. ``in_inbox``: it is in the live inbox, or on its way there."""

    notification_id: str
    user_id: str
    in_inbox: bool


class ReadRequest(BaseModel):
    """What to mark as read: some of a user's notifications by id, or with `all` every one of them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "anyOf": [
                {
                    "required": ["notification_ids"],
                    "properties": {"notification_ids": {"minItems": 1}, "all": {"const": False}},
                },
                {"required": ["all"], "properties": {"notification_ids": {"maxItems": 0}, "all": {"const": True}}},
            ]
        },
    )

    user_id: UserId
    notification_ids: Annotated[list[UUID], Field(max_length=1000)] = Field(default_factory=list)
    all: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _ids_or_all(self) -> Self:
        if self.all == bool(self.notification_ids):
            raise ValueError("give either `notification_ids` or `all`: true")
        return self


class UnreadCount(BaseModel):
    """How many notifications in the user's inbox are unread, counted to 1,000. `more`: there are more than that."""

    user_id: str
    unread: int
    more: bool


class ReadResult(BaseModel):
    """How many notifications were unread and are now marked as read."""

    user_id: str
    marked: int


class ReadNotification(BaseModel):
    """When the notification was first marked as read."""

    notification_id: UUID
    read_at: datetime
