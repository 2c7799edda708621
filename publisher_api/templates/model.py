"""A template, as the API takes and shows it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from publisher_api.fields import MAX_CHANNELS, Name, UserId


class TemplateFields(BaseModel):
    """Content by channel or channel type, with the fields of the type's content. Each text is a Jinja2 template."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"content": {"email": {"subject": "Paid", "text": "You paid {{ amount }}."}}}]},
    )

    content: Annotated[dict[Name, dict[str, Any]], Field(min_length=1, max_length=MAX_CHANNELS)]


class TemplateView(BaseModel):
    """A template as it is stored."""

    template_name: str
    content: dict[str, dict[str, Any]]
    updated_at: datetime
    variables: list[str] = Field(default_factory=list, description="What its texts read of the payload.")


class RenderRequest(BaseModel):
    """What to render with: a payload, or that of a notification. A user's language and attributes are used if named."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"payload": {"amount": 10}, "user_id": "u1"}]}
    )

    payload: dict[str, Any] | None = None
    notification_id: UUID | None = Field(default=None, description="Its payload, event type and user are used.")
    event_type: Name | None = None
    user_id: UserId | None = None


class RenderView(BaseModel):
    """The content of each channel of the template, as it would be sent."""

    content: dict[str, dict[str, Any]]
