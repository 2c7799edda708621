"""The API's documentation: its texts, the problems of each route, and /docs without the internet.

Swagger UI comes from an installed package, not from another host, under a content-security policy.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from publisher_api.principal import Scope
from publisher_api.refusal import RefusalCode, not_found
from publisher_api.web.access import FURTHER_SCOPES, RULES, Only
from publisher_api.web.problem import MEDIA_TYPE, STATUS_OF_CODE

DESCRIPTION = """One POST reaches a user over e-mail, SMS, push, webhook and a live inbox.

A 202 means that the notification is committed. `GET /v1/notifications/{notification_id}` says what became of it, step
by step. Refusals are `application/problem+json` (RFC 9457): `type` is stable, `errors` names the fields."""
TAGS = [
    {"name": "sending", "description": "Send one notification, or a batch."},
    {"name": "notifications", "description": "Read what became of a notification."},
    {"name": "inbox", "description": "Unread counts, and marking as read."},
    {"name": "own inbox", "description": "What a user's own client calls, with an inbox token."},
    {
        "name": "own settings",
        "description": "A user's notifications, preferences and devices, with the same token.",
    },
    {"name": "users", "description": "Where users can be reached."},
    {"name": "privacy", "description": "Erase a user, export what is stored of them, and say how long all is kept."},
    {"name": "configuration", "description": "Templates, event types, channels and limits, without a deployment."},
    {"name": "administration", "description": "API keys, and who changed what."},
    {"name": "health", "description": "For load balancers and uptime checks."},
    {"name": "internal", "description": "Called by Google Pub/Sub only."},
]

_SCHEME_OF = {Only.PERSON: "inboxToken", Only.GOOGLE: "googlePush"}
_PAGE = Path(__file__).with_name("docs")
_SWAGGER_UI = Path(fastapi_offline.__file__).with_name("static")
_FILES = {
    "swagger-ui-bundle.js": _SWAGGER_UI / "swagger-ui-bundle.js",
    "swagger-ui.css": _SWAGGER_UI / "swagger-ui.css",
    "start.js": _PAGE / "start.js",
    "icon.svg": _PAGE / "icon.svg",
}
# Swagger UI sets styles in attributes and shows icons from data URLs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="The path of the field, like `content.email.subject`.")
    message: str


class Problem(BaseModel):
    """A refusal (RFC 9457). Some types have further members."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(
        description="`urn:heliograph:problem:` and one of " + ", ".join(code.value for code in RefusalCode)
    )
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | None = None


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documented problems of a route, by status."""
    return {
        status: {
            "description": "; ".join(code.description for code, of in STATUS_OF_CODE.items() if of == status),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def request_body(schema: dict[str, Any]) -> dict[str, Any]:
    """The documentation of a JSON body that the route parses itself."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def install(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Serve /docs, and describe in the schema what FastAPI does not know: problems and authentication."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _schema(app, routers)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the schema

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return FileResponse(_PAGE / "index.html", headers={"Content-Security-Policy": _POLICY})

    @app.get("/docs/{name}", include_in_schema=False)
    async def docs_file(name: str) -> Response:
        if name not in _FILES:
            raise not_found(f"File {name!r} of the documentation")
        return FileResponse(_FILES[name])


def _schema(app: FastAPI, routers: Sequence[APIRouter]) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title, version=app.version, description=app.description, tags=app.openapi_tags, routes=app.routes
    )
    components = schema["components"]
    components["schemas"] |= _problem_schemas()
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["securitySchemes"] = {
        "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key: `hg_…`."},
        "producerToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token of the issuer of producers, with the scope of the route.",
        },
        "inboxToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token of one user: from `inbox_token`, or of your identity provider.",
        },
        "googlePush": {"type": "http", "scheme": "bearer", "description": "An OIDC token of Google Pub/Sub."},
    }
    for route in (route for router in routers for route in router.routes if isinstance(route, APIRoute)):
        for method in route.methods or ():
            _describe(schema["paths"][route.path_format][method.lower()], (method, route.path_format))
    return schema


def _describe(operation: dict[str, Any], place: tuple[str, str]) -> None:
    """Add the route's authentication, and drop FastAPI's own 422, which is a problem here.

    The summary is the first sentence of the route's docstring, the description is the rest.
    """
    rule = RULES[place]
    operation["summary"], _, rest = operation.pop("description").removesuffix(".").partition(". ")
    if rest:
        operation["description"] = f"{rest}."
    if isinstance(rule, Scope):
        operation["security"] = [{"apiKey": []}, {"producerToken": [rule.value]}]
        further = "".join(f", and `{scope}` {when}" for scope, when in FURTHER_SCOPES.get(place, {}).items())
        needs = f"Needs the scope `{rule}`{further}."
        operation["description"] = f"{operation.get('description', '')}\n\n{needs}".lstrip()
    elif rule is not Only.ANYONE:
        operation["security"] = [{_SCHEME_OF[rule]: []}]
    if "422" in operation["responses"] and MEDIA_TYPE not in operation["responses"]["422"]["content"]:
        del operation["responses"]["422"]


def _problem_schemas() -> dict[str, Any]:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions: dict[str, Any] = schema.pop("$defs")
    return {**definitions, "Problem": schema}
