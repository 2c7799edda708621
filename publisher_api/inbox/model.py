"""Requests and responses of the inbox routes, those of producers and those of users."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from publisher_api.fields import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A notification that was just marked. ``in_inbox``: it is in the live inbox, or on its way there."""

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


class Tab(StrEnum):
    """`all`: not archived; `unread`: neither archived nor read; `archived`."""

    ALL = "all"
    UNREAD = "unread"
    ARCHIVED = "archived"


class Entry(BaseModel):
    """An entry of an inbox. Each of the last three times is null until the entry is marked, and stays afterwards."""

    notification_id: str
    delivery_id: str
    event_type: str
    tenant: str | None = None
    title: str
    body: str
    url: str | None
    data: dict[str, Any]
    actor_user_id: str | None
    priority: int
    created_at: datetime
    delivered_at: datetime
    seen_at: datetime | None
    read_at: datetime | None
    archived_at: datetime | None


class Counts(BaseModel):
    """`unseen`: neither seen, read nor archived; `unread`: neither read nor archived."""

    unseen: int
    unread: int


class InboxView(BaseModel):
    """Entries, and the counts of the whole inbox or of the tenant that was asked for, at one moment.

    `version` grows with each change of the inbox.
    """

    entries: list[Entry]
    counts: Counts
    version: int = Field(description="0 in the profile google, where clients listen to Firestore.")


class Asked(NamedTuple):
    """A read of what changed in an inbox after the version ``since``; None: its reader knows no version.

    With a ``tenant``, only its entries are read and counted.
    """

    user_id: str
    since: int | None
    tenant: str | None = None


class InboxPage(InboxView):
    """A page of an inbox, the newest delivery first. `next` leads to the next page; null on the last."""

    next: str | None


class MarkRequest(BaseModel):
    """Which notifications to mark. Those of other users are ignored."""

    model_config = ConfigDict(extra="forbid")

    notification_ids: Annotated[list[UUID], Field(min_length=1, max_length=1000)]


class MarkResult(BaseModel):
    """How many notifications are marked now that were not before."""

    marked: int


class InboxToken(BaseModel):
    """A token with which this user can call `/v1/inbox`, until it expires."""

    token: str
    expires_at: datetime
    user_id: str
