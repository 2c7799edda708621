"""Templates: what is said on each channel, in Jinja2."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from publisher_api.accept import templates
from publisher_api.accept.request import MAX_DEPTH, Name, deeper_than
from publisher_api.errors import Problem, invalid
from publisher_api.services import Producer, Serving
from publisher_api.store import configuration
from shared.channel_types import REGISTRY

router = APIRouter(prefix="/v1/templates", tags=["configuration"])


class TemplateFields(BaseModel):
    """Words by channel (a slug or a kind), in the shape of the kind's content; each text is a Jinja2 template."""

    model_config = ConfigDict(extra="forbid")

    content: Annotated[dict[Name, dict[str, Any]], Field(min_length=1)]


@router.put("/{template_name}")
def put(template_name: Name, fields: TemplateFields, _producer: Producer, services: Serving) -> dict[str, Any]:
    """Create or replace a template. It is compiled now, so a slip shows here and not when somebody sends."""
    channels = services.catalog.current().channels
    for slug, words in fields.content.items():
        kind = channels[slug].kind if slug in channels else None
        if kind is None:
            raise invalid(f"content.{slug}", f"there is no channel {slug!r}", "unknown_channel")
        known = REGISTRY[kind].content.__struct_fields__
        for name in words:
            if name not in known:
                raise invalid(f"content.{slug}.{name}", f"{kind} has no such field; it has {', '.join(known)}")
        if deeper_than(words, MAX_DEPTH):
            raise invalid(f"content.{slug}", f"is nested more than {MAX_DEPTH} deep")
        templates.check(words, f"content.{slug}")
        missing = [
            field.name
            for field in msgspec.structs.fields(REGISTRY[kind].content)
            if field.required and field.name not in words
        ]
        if missing:
            raise invalid(f"content.{slug}.{missing[0]}", "this field is needed")
    with services.pool.connection() as connection:
        configuration.put_template(connection, template_name, fields.content)
    services.catalog.drop()
    return {"template_name": template_name, "content": fields.content}


@router.get("/{template_name}")
def show(template_name: Name, _producer: Producer, services: Serving) -> dict[str, Any]:
    """A template as it was put."""
    with services.pool.connection() as connection:
        template = configuration.get_template(connection, template_name)
    if template is None:
        raise Problem(404, "not_found", f"There is no template {template_name!r}.")
    return template
