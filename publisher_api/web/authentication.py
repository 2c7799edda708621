"""Authenticates each request by the row of its route in ``access.py``: the one place that does."""

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute, Route, WebSocketRoute

from publisher_api.principal import Principal, Scope
from publisher_api.refusal import Refusal, RefusalCode
from publisher_api.web.access import RULES, WEBSOCKET, Only, Rule
from publisher_api.web.inbox_tokens import InboxUser

if TYPE_CHECKING:
    from publisher_api.web.services import ServiceRegistry

_Caller = TypeVar("_Caller", Principal, InboxUser)
_EXPECTED: Mapping[Rule, str] = {Only.PERSON: "inbox token", Only.GOOGLE: "OIDC token"}


async def authenticate(request: Request, rule: Rule) -> Principal | InboxUser | None:
    """The caller that ``rule`` wants; None where it wants to know none. Raises ``Refusal`` for any other caller."""
    if rule is Only.ANYONE:
        return None
    services: ServiceRegistry = request.app.state.services
    credential = _bearer(request, _EXPECTED.get(rule, "API key"))
    if isinstance(rule, Scope):
        principal = await services.producers.of(credential)
        principal.require(rule)
        return principal
    if rule is Only.PERSON:
        return await services.inbox_tokens.user(credential)
    if services.google_pushes is None:
        raise LookupError("Only the google profile has a route for Google's pushes.")
    await run_in_threadpool(services.google_pushes.verify, credential)
    return None


class AuthenticatedRoute(APIRoute):
    """Authenticates before the body is read. FastAPI reads a body that it parses before it runs dependencies."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        path = self.path_format

        async def authenticated(request: Request) -> Response:
            request.state.caller = await authenticate(request, RULES[request.method, path])
            return await handler(request)

        return authenticated


def check_routes(routes: Sequence[BaseRoute]) -> None:
    """Raises ``LookupError`` that names every route without a row, and each that does not do what its row says."""
    faults = []
    for place, route in places_of(routes):
        if place not in RULES:
            faults.append(f"{' '.join(place)} has no row: add one that says who may call it")
        elif place[0] != WEBSOCKET and not isinstance(route, AuthenticatedRoute) and RULES[place] != Only.ANYONE:
            faults.append(f"{' '.join(place)} does not ask for {RULES[place]}: make it an AuthenticatedRoute")
    if faults:
        raise LookupError(f"publisher_api/web/access.py: {'; '.join(faults)}.")


def places_of(routes: Sequence[BaseRoute]) -> Iterator[tuple[tuple[str, str], BaseRoute]]:
    """The rows that the routes need, also those of included routers: one for each method of a route.

    A route that accepts every method, and a mounted application, whose routes cannot be seen, need rows that no table
    has.
    """
    for context in iter_route_contexts(routes):
        route, path = context.original_route, context.path_format or ""
        if isinstance(route, WebSocketRoute):
            yield (WEBSOCKET, path), route
        elif isinstance(route, Route):
            methods = set(context.methods or ["ANY"])
            if "GET" in methods:  # Starlette then answers HEAD too
                methods.discard("HEAD")
            yield from (((method, path), route) for method in sorted(methods))
        else:
            yield (type(route).__name__, path), route


async def calling_producer(request: Request) -> Principal:  # async: FastAPI runs plain functions in a thread
    """The producer that calls. Raises ``TypeError`` where the route's row wants another caller."""
    return _caller(request, Principal)


async def calling_user(request: Request) -> InboxUser:
    """The user who calls. Raises ``TypeError`` where the route's row wants another caller."""
    return _caller(request, InboxUser)


def _caller(request: Request, wanted: type[_Caller]) -> _Caller:
    caller = request.state.caller
    if not isinstance(caller, wanted):
        message = f"The row of {request.url.path} in access.py is not for a {wanted.__name__}."
        raise TypeError(message)
    return caller


def _bearer(request: Request, expected: str) -> str:
    """The credential of the header Authorization. Raises ``Refusal`` that asks for ``expected``."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential:
        raise Refusal(RefusalCode.UNAUTHORIZED, f"Send the header `Authorization: Bearer <{expected}>`.")
    return credential
