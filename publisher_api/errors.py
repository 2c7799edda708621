"""Errors as people and programs read them: ``application/problem+json`` (RFC 9457), each naming the field at fault.

::

    Problem
    ├── 400 malformed_json,         ├── 409 in_flight            ├── 422 invalid_request, unknown_channel,
    │       malformed_request       ├── 413 too_large            │       unknown_template, template_failed,
    ├── 401 unauthorized            ├── 503 unavailable          │       nothing_accepted, idempotency_key_reused
    ├── 404 not_found
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

_log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
_TITLES = {
    "idempotency_key_reused": "This key belongs to another request",
    "internal": "Something went wrong here",
    "in_flight": "The first request with this key is still being answered",
    "invalid_request": "The request is not valid",
    "malformed_json": "The body is not JSON",
    "malformed_request": "The request cannot be read",
    "method_not_allowed": "This address does not take that method",
    "not_found": "There is no such thing",
    "nothing_accepted": "Not one notification of the batch was accepted",
    "template_failed": "The template cannot be rendered with this payload",
    "too_large": "The request is too large",
    "unauthorized": "The request is not authenticated",
    "unavailable": "The service cannot take requests just now",
    "unknown_channel": "There is no such channel",
    "unknown_template": "There is no such template",
}
_OF_STATUS = {
    404: ("not_found", "There is nothing at this address. /docs lists what there is."),
    405: ("method_not_allowed", "This address takes other methods; the Allow header names them."),
}
CLIENT_CLOSED_REQUEST = 499  # nginx's code
_LIMIT_EXCEEDED = "54"  # the SQLSTATE class of what is too large or too complex for Postgres
_POSTGRES_AWAY = "Postgres cannot be reached. Send the request again."
_PERHAPS_ACCEPTED = (
    " Give it the same Idempotency-Key or dedup_key if it had one: Postgres may have gone away just after it accepted."
)
RETRY_AFTER_SECONDS = 5


class Problem(HTTPException):
    """A refusal, with everything its reader needs: what was wrong, where, and what to do.

    ``kind`` is stable and meant for programs; ``fields`` holds pairs of a field's path (``content.email.subject``)
    and a sentence about it. ``more`` are members of this kind alone.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        fields: Sequence[tuple[str, str]] = (),
        headers: dict[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        # An HTTPException, since those alone pass unchanged through FastAPI's own reading of bodies.
        super().__init__(status, detail, headers)
        self.status = status
        self.kind = kind
        self.detail: str = detail
        self.fields = tuple(fields)
        self._more = more or {}

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": f"urn:heliograph:problem:{self.kind}",
            "title": _TITLES[self.kind],
            "status": self.status,
            "detail": self.detail,
        }
        if self.fields:
            body["errors"] = [{"field": field, "message": message} for field, message in self.fields]
        return {**body, **self._more}

    def response(self) -> JSONResponse:
        return JSONResponse(self.body(), self.status, headers=dict(self.headers or {}), media_type=MEDIA_TYPE)


def invalid(field: str, message: str, kind: str = "invalid_request") -> Problem:
    """A 422 about one field."""
    return Problem(422, kind, f"{field}: {message}", fields=[(field, message)])


def from_validation(error: ValidationError | RequestValidationError, prefix: tuple[str, ...] = ()) -> Problem:
    """Pydantic's findings as a problem; malformed JSON is a 400, everything else a 422. Holds no value of the
    request.
    """
    findings = error.errors()
    for finding in findings:
        if finding["type"] == "json_invalid":
            reason = finding.get("ctx", {}).get("error", finding["msg"])
            return Problem(400, "malformed_json", f"The body cannot be read as JSON: {reason}.")
    fields = [
        (".".join(map(str, (*prefix, *_path(finding)))) or "body", finding["msg"].removeprefix("Value error, "))
        for finding in findings
    ]
    return Problem(422, "invalid_request", "; ".join(f"{field}: {message}" for field, message in fields), fields=fields)


def _path(finding: Mapping[str, Any]) -> tuple[str | int, ...]:
    location: tuple[str | int, ...] = tuple(finding["loc"])
    return location[1:] if location[:1] in (("body",), ("query",), ("path",), ("header",)) else location


def unavailable(detail: str) -> Problem:
    return Problem(503, "unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def install(app: FastAPI) -> None:
    """Answer every refusal as a problem, whoever raised it."""

    @app.exception_handler(Problem)
    async def problem(_request: Request, error: Problem) -> JSONResponse:
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def validation(_request: Request, error: RequestValidationError) -> JSONResponse:
        return from_validation(error).response()

    @app.exception_handler(psycopg.DataError)
    async def data(_request: Request, error: psycopg.DataError) -> JSONResponse:
        # What Postgres cannot store although JSON can say it, such as U+0000 in a text.
        detail = f"The database cannot store this request: {error.diag.message_primary}."
        return Problem(422, "invalid_request", detail).response()

    @app.exception_handler(psycopg.OperationalError)  # a pool without connections is one as well
    async def postgres(request: Request, error: psycopg.OperationalError) -> JSONResponse:
        return _of_postgres(request, error).response()

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return _of_starlette(request, error).response()

    @app.exception_handler(TimeoutError)
    async def stuck(_request: Request, _error: TimeoutError) -> JSONResponse:
        return unavailable(_POSTGRES_AWAY + _PERHAPS_ACCEPTED).response()

    @app.exception_handler(Exception)
    async def bug(_request: Request, _error: Exception) -> JSONResponse:
        # The server logs the traceback; it is ours, and no business of the caller.
        return Problem(500, "internal", "This is an error of ours. It was logged.").response()

    @app.exception_handler(ClientDisconnect)
    async def client_left(_request: Request, _error: ClientDisconnect) -> Response:
        return Response(status_code=CLIENT_CLOSED_REQUEST)  # nobody reads it, and it is no error of ours


def _of_postgres(request: Request, error: psycopg.OperationalError) -> Problem:
    if (error.sqlstate or "").startswith(_LIMIT_EXCEEDED):
        return Problem(422, "invalid_request", f"The database cannot store this request: {error.diag.message_primary}.")
    reason = error.diag.message_primary or str(error)
    _log.warning("refused for want of Postgres", extra={"error": type(error).__name__, "reason": reason})
    if isinstance(error, psycopg.errors.QueryCanceled):
        return unavailable("Postgres took too long. Send the request again, a batch in smaller parts.")
    return unavailable(_POSTGRES_AWAY + (_PERHAPS_ACCEPTED if request.method == "POST" else ""))


def _of_starlette(request: Request, error: HTTPException) -> Problem:
    kind, detail = _OF_STATUS.get(error.status_code, ("invalid_request", str(error.detail)))
    headers = dict(error.headers or {})
    if "Allow" in headers:  # Starlette names the methods of the first route at this address only
        headers["Allow"] = ", ".join(_methods(request))
    return Problem(error.status_code, kind, detail, headers=headers)


def _methods(request: Request) -> list[str]:
    """Every method that the request's address takes."""
    return [
        method
        for method in ("DELETE", "GET", "PATCH", "POST", "PUT")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]
