"""Answers every refusal and error as ``application/problem+json`` (RFC 9457): the one place that does."""

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from psycopg_pool import PoolTimeout, TooManyRequests
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from publisher_api.refusal import Refusal, RefusalCode, invalid, overloaded
from publisher_api.validation import refusal_of_findings
from publisher_api.web.problem import MEDIA_TYPE, STATUS_OF_CODE, headers_of, problem_body
from shared.log_events import LogEvent
from shared.logs import EventLogger

_log = EventLogger(__name__)
CLIENT_CLOSED_REQUEST = 499  # nginx's code
_NOT_FOUND, _METHOD_NOT_ALLOWED = 404, 405
_LIMIT_EXCEEDED = "54"  # the SQLSTATE class of what is too large or too complex for Postgres
_POSTGRES_UNAVAILABLE = "Postgres is unavailable. Send the request again."
_MAYBE_ACCEPTED = (
    " Use the same Idempotency-Key, dedup_key or notification_id if it had one:"
    " the connection may have been lost just after the commit."
)


class RefusalInBody(HTTPException):
    """A refusal that is raised while FastAPI reads a body; FastAPI passes only its own exceptions through."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(STATUS_OF_CODE[refusal.code], refusal.detail)
        self.refusal = refusal


def problem_response(refusal: Refusal, headers: dict[str, str] | None = None) -> JSONResponse:
    """The response to a refusal."""
    return JSONResponse(
        problem_body(refusal),
        STATUS_OF_CODE[refusal.code],
        headers={**headers_of(refusal), **(headers or {})},
        media_type=MEDIA_TYPE,
    )


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` as a problem."""

    @app.exception_handler(Refusal)
    async def refused(_request: Request, refusal: Refusal) -> JSONResponse:
        return problem_response(refusal)

    @app.exception_handler(RequestValidationError)
    async def not_valid(request: Request, error: RequestValidationError) -> JSONResponse:
        return problem_response(_without_json(request, error) or refusal_of_findings(error.errors()))

    @app.exception_handler(psycopg.DataError)
    async def unstorable(_request: Request, error: psycopg.DataError) -> JSONResponse:
        # JSON can hold what Postgres cannot store, such as U+0000 in a text.
        return problem_response(_unstorable(error))

    @app.exception_handler(psycopg.OperationalError)  # includes a pool without connections
    async def postgres(request: Request, error: psycopg.OperationalError) -> JSONResponse:
        return problem_response(_of_postgres(request, error))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return _of_starlette(request, error)

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> JSONResponse:
        # The server logs the traceback, which is not for the caller. The pattern of the address holds no ids.
        pattern = getattr(request.scope.get("route"), "path", "")
        _log.error(LogEvent.REQUEST_FAILED, method=request.method, route=pattern, error=type(error).__name__)
        return problem_response(Refusal(RefusalCode.INTERNAL, "An internal error occurred. It was logged."))

    @app.exception_handler(ClientDisconnect)
    async def client_left(_request: Request, _error: ClientDisconnect) -> Response:
        return Response(status_code=CLIENT_CLOSED_REQUEST)  # the client will not read it


def _without_json(request: Request, error: RequestValidationError) -> Refusal | None:
    """A refusal that asks for the header without which FastAPI does not parse a body."""
    unparsed = any(finding["loc"] == ("body",) and isinstance(finding["input"], bytes) for finding in error.errors())
    if not unparsed:
        return None
    found = request.headers.get("content-type")
    was = f"is {found!r}" if found else "is missing"
    return invalid("body", f"is not read as JSON, because the header Content-Type {was}; send application/json")


def _unstorable(error: psycopg.Error) -> Refusal:
    detail = f"The database cannot store this request: {error.diag.message_primary}."
    return Refusal(RefusalCode.INVALID_REQUEST, detail)


def _of_postgres(request: Request, error: psycopg.OperationalError) -> Refusal:
    if (error.sqlstate or "").startswith(_LIMIT_EXCEEDED):
        return _unstorable(error)
    if isinstance(error, TooManyRequests):
        return overloaded()
    cause = error.diag.message_primary or str(error)
    _log.warning(LogEvent.POSTGRES_UNAVAILABLE, error=type(error).__name__, cause=cause)
    if isinstance(error, psycopg.errors.QueryCanceled):
        detail = "Postgres took too long. Send the request again, a batch in smaller parts."
        return Refusal(RefusalCode.UNAVAILABLE, detail)
    if isinstance(error, PoolTimeout):
        detail = "No connection to Postgres became free in time, so nothing of this request is stored. Send it again."
        return Refusal(RefusalCode.UNAVAILABLE, detail)
    maybe_accepted = _MAYBE_ACCEPTED if request.method == "POST" else ""
    return Refusal(RefusalCode.UNAVAILABLE, _POSTGRES_UNAVAILABLE + maybe_accepted)


def _of_starlette(request: Request, error: HTTPException) -> JSONResponse:
    if isinstance(error, RefusalInBody):
        return problem_response(error.refusal)
    if error.status_code == _NOT_FOUND:
        return problem_response(Refusal(RefusalCode.NOT_FOUND, "No such address. /docs lists every address."))
    if error.status_code == _METHOD_NOT_ALLOWED:
        detail = "This address does not accept this method. The Allow header names the methods that it accepts."
        allowed = ", ".join(_methods(request))
        return problem_response(Refusal(RefusalCode.METHOD_NOT_ALLOWED, detail), {"Allow": allowed})
    return problem_response(Refusal(RefusalCode.MALFORMED_REQUEST, str(error.detail)), dict(error.headers or {}))


def _methods(request: Request) -> list[str]:
    """Every method that the request's address accepts. Starlette names those of the first matching route only."""
    return [
        method
        for method in ("DELETE", "GET", "PATCH", "POST", "PUT")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]
