"""How long notifications are kept, as the sweeper knows it and as the API takes and shows it. Pure."""

from datetime import timedelta
from typing import Annotated

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from publisher_api.fields import Days, Name

_MAX_CATEGORIES = 200


class RetentionFields(BaseModel):
    """How many days notifications are kept after they were to be sent, where their event type does not say it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"days": 365, "categories": {"marketing": 90}}]}
    )

    days: Days | None = Field(default=None, description="Of all others. Null: for ever.")
    categories: Annotated[
        dict[Name, Days], Field(max_length=_MAX_CATEGORIES, json_schema_extra={"additionalProperties": False})
    ] = Field(default_factory=dict, description="By category.")


class StoredType(msgspec.Struct, frozen=True, kw_only=True):
    """An event type, with what its declaration says, if there is one."""

    event_type: str
    retention_days: int | None = None
    category: str | None = None


def kept_for(stored: StoredType, fields: RetentionFields) -> timedelta | None:
    """How long notifications of this event type are kept; None: for ever.

    The days of the event type count, otherwise those of its category, otherwise those of the environment.
    """
    days = stored.retention_days
    if days is None and stored.category is not None:
        days = fields.categories.get(stored.category)
    if days is None:
        days = fields.days
    return timedelta(days=days) if days is not None else None


def changes_retention(before: StoredType, after: StoredType, fields: RetentionFields) -> bool:
    """Whether a declaration changes the ``retention_days``, or its category lets notifications be deleted sooner."""
    if before.retention_days != after.retention_days:
        return True
    old, new = kept_for(before, fields), kept_for(after, fields)
    return new is not None and (old is None or new < old)
