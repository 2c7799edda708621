"""A template, as the API takes and shows it."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from publisher_api.fields import Name


class TemplateFields(BaseModel):
    """Content by channel or channel type, with the fields of the type's content. Each text is a Jinja2 template."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"content": {"email": {"subject": "Paid", "text": "You paid {{ amount }}."}}}]},
    )

    content: Annotated[dict[Name, dict[str, Any]], Field(min_length=1)]


class TemplateView(BaseModel):
    """A template as it is stored."""

    template_name: str
    content: dict[str, dict[str, Any]]
    updated_at: datetime
