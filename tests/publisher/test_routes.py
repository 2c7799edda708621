"""Every route has one row in the table of access, and every caller gets from every route what the row says."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from operator import methodcaller

import pytest
from fastapi import APIRouter
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from local.tokens import Signer
from publisher_api.api_keys.settings import IssuerSettings
from publisher_api.app import create_app
from publisher_api.principal import Scope
from publisher_api.settings import Settings
from publisher_api.web.access import FURTHER_SCOPES, RULES, WEBSOCKET, Only, Rule
from publisher_api.web.authentication import AuthenticatedRoute, check_routes, places_of
from publisher_api.web.origins import PLACES
from shared.profile import Profile
from tests.conftest import NewDatabase
from tests.publisher.google import AUDIENCE, google_settings
from tests.publisher.own_inbox import INBOX, signed_token
from tests.publisher.running import Publisher, serving
from tests.publisher.walking import GOOGLE, ISSUER, POSTGRES, PRODUCERS, Publishers, filled, rules_in

each_profile = pytest.mark.parametrize("settings", [GOOGLE, POSTGRES], ids=["google", "postgres"])
PASSES = 0
"""Neither 401 nor 403: the route itself answers."""


@each_profile
def test_the_table_has_a_row_for_every_route_and_no_other(settings: Settings) -> None:
    assert {place for place, _ in places_of(create_app(settings).routes)} == set(rules_in(settings))


def test_the_only_websocket_takes_a_token_in_its_first_frame() -> None:
    """``test_live.py`` tests that it sends nothing before."""
    assert [path for method, path in RULES if method == WEBSOCKET] == ["/v1/inbox/live"]


def test_web_pages_of_listed_origins_may_call_what_belongs_to_a_user_and_nothing_else() -> None:
    assert {path for (_, path), rule in RULES.items() if path.startswith(PLACES)} == {
        path for (_, path), rule in RULES.items() if rule is Only.PERSON
    }


def test_a_route_without_a_row_or_without_a_check_ends_the_start() -> None:
    router = APIRouter(prefix="/v1", route_class=AuthenticatedRoute)
    router.add_api_route("/forgotten", lambda: None, methods=["GET"])
    with pytest.raises(LookupError, match=r"GET /v1/forgotten has no row"):
        check_routes(router.routes)
    unchecked = APIRouter(prefix="/v1")
    unchecked.add_api_route("/users", lambda: None, methods=["GET"])
    with pytest.raises(LookupError, match=r"GET /v1/users does not ask for users"):
        check_routes(unchecked.routes)


@pytest.mark.parametrize(
    ("route", "place"),
    [
        (Route("/plain", Response()), "ANY /v1/plain"),
        (Route("/plain", lambda _: Response()), "GET /v1/plain"),
        (WebSocketRoute("/plain", lambda _: None), "WEBSOCKET /v1/plain"),
        (Mount("/plain", Response()), "Mount /v1/plain/{path}"),
    ],
)
def test_a_route_of_any_other_kind_needs_a_row_too(route: BaseRoute, place: str) -> None:
    inner, outer = APIRouter(), APIRouter()
    inner.routes.append(route)
    outer.include_router(inner, prefix="/v1")
    with pytest.raises(LookupError, match=f"{place} has no row"):
        check_routes(outer.routes)


def allowed(by: Callable[[Rule], int]) -> dict[tuple[Profile, str, str], int]:
    """What each route of each profile must answer, ``by`` its rule."""
    profiles = {Profile.GOOGLE: GOOGLE, Profile.POSTGRES: POSTGRES}
    return {
        (profile, *place): PASSES if rule is Only.ANYONE else by(rule)
        for profile, settings in profiles.items()
        for place, rule in rules_in(settings).items()
        if place[0] != WEBSOCKET
    }


@pytest.fixture(scope="module")
def publishers(new_database: NewDatabase, certs_url: str, signer: Signer) -> Iterator[Publishers]:
    with new_database("walked") as database_url:
        issuer = IssuerSettings(issuer=ISSUER, audience=PRODUCERS, keys_url=certs_url)
        google = replace(google_settings(database_url, certs_url), producers=issuer)
        own = Settings(database_url=database_url, profile=Profile.POSTGRES, inbox=INBOX, producers=issuer)
        with serving(google) as google_url, serving(own) as own_url:
            yield Publishers({Profile.GOOGLE: google_url, Profile.POSTGRES: own_url}, database_url, signer)


def needs(*scopes: Scope) -> Callable[[Rule], int]:
    """What a producer with these scopes gets: 401 where a token of another kind is asked for, else what it may do."""
    included = {Scope.READ_ALL: {Scope.READ, Scope.READ_ALL}, Scope.ADMIN: set(Scope)}
    own = set().union(*(included.get(scope, {scope}) for scope in scopes))
    return lambda rule: (PASSES if rule in own else 403) if isinstance(rule, Scope) else 401


def only(wanted: Rule) -> Callable[[Rule], int]:
    return lambda rule: PASSES if rule is wanted else 401


def nothing(_rule: Rule) -> int:
    return 401


CALLERS: dict[str, tuple[Callable[[Publishers], str | None], Callable[[Rule], int]]] = {
    "no credential": (lambda _: None, nothing),
    "an unknown key": (lambda _: "hg_unknown", nothing),
    "an unknown token": (lambda _: "a.b.c", nothing),
    **{f"a key with {scope}": (methodcaller("key", scope.value), needs(scope)) for scope in Scope},
    "a key with everything but admin": (
        lambda p: p.key("send", "read_all", "users", "configure"),
        needs(*(set(Scope) - {Scope.ADMIN})),
    ),
    "a key of a tenant": (lambda p: p.key("send", "read", tenant="acme"), needs(Scope.SEND, Scope.READ)),
    "an expired key": (lambda p: p.ended_key("expires_at"), nothing),
    "a revoked key": (lambda p: p.ended_key("revoked_at"), nothing),
    **{f"a producer's token with {scope}": (methodcaller("jwt", f"openid {scope}"), needs(scope)) for scope in Scope},
    "a producer's token without a scope": (lambda p: p.jwt("openid"), needs()),
    "a producer's expired token": (lambda p: p.jwt("admin", seconds=-60), nothing),
    "a producer's token for another audience": (lambda p: p.jwt("admin", aud="shop"), nothing),
    "a producer's token of another issuer": (lambda p: p.jwt("admin", iss="https://other.example"), nothing),
    "a user": (lambda _: signed_token("ada", 600), only(Only.PERSON)),
    "another user": (lambda _: signed_token("eve", 600), only(Only.PERSON)),
    "a user whose token has expired": (lambda _: signed_token("ada", -60), nothing),
    "a user with a token for another audience": (lambda _: signed_token("ada", 600, aud="shop"), nothing),
    "a user with a scope": (lambda _: signed_token("ada", 600, scope="admin"), only(Only.PERSON)),
    "Google": (lambda p: p.signer.token(AUDIENCE, time.time()), only(Only.GOOGLE)),
    "Google, for another audience": (lambda p: p.signer.token("https://other.example", time.time()), nothing),
}


@pytest.mark.parametrize("name", CALLERS)
def test_every_route_answers_every_caller_as_the_table_says(publishers: Publishers, name: str) -> None:
    credential, rule = CALLERS[name]
    found = publishers.walk(credential(publishers))
    passed = {place: status if status in (401, 403) else PASSES for place, status in found.items()}
    expected = allowed(rule)
    assert {place: (status, expected[place]) for place, status in passed.items() if status != expected[place]} == {}
    assert not [place for place, status in found.items() if status == 500]
    assert passed.keys() == expected.keys()


def test_a_body_is_not_read_before_the_caller_is_known(publisher: Publisher) -> None:
    for method, path in (place for place, rule in rules_in(POSTGRES).items() if rule is not Only.ANYONE):
        if method != WEBSOCKET:
            response = publisher.http.request(
                method,
                filled(path),
                headers={"Authorization": "Bearer wrong", "Content-Type": "application/json"},
                content=b"{",
            )
            assert (response.status_code, response.headers["content-type"]) == (401, "application/problem+json"), path
            assert response.headers["www-authenticate"] == "Bearer"


@each_profile
def test_the_schema_says_how_each_route_authenticates(settings: Settings) -> None:
    paths = create_app(settings).openapi()["paths"]
    schemes: dict[Only, list[dict[str, list[str]]] | None] = {
        Only.PERSON: [{"inboxToken": []}],
        Only.GOOGLE: [{"googlePush": []}],
        Only.ANYONE: None,
    }
    pages = ("/docs", "/docs/{name}", "/openapi.json")
    documented = {key: rule for key, rule in rules_in(settings).items() if key[1] not in pages and key[0] != WEBSOCKET}
    found = {(method, path): paths[path][method.lower()].get("security") for method, path in documented}
    assert found == {
        key: [{"apiKey": []}, {"producerToken": [rule.value]}] if isinstance(rule, Scope) else schemes[rule]
        for key, rule in documented.items()
    }
    assert all(
        f"scope `{rule}`" in paths[path][method.lower()]["description"]
        for (method, path), rule in documented.items()
        if isinstance(rule, Scope)
    )
    assert all(
        f"`{scope}` {when}" in paths[path][method.lower()]["description"]
        for (method, path), scopes in FURTHER_SCOPES.items()
        for scope, when in scopes.items()
    )


@each_profile
def test_every_problem_in_the_schema_is_a_problem_and_nothing_else(settings: Settings) -> None:
    paths = create_app(settings).openapi()["paths"]
    responses = [
        (status, response["content"])
        for operations in paths.values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        if status.startswith("4")
    ]
    assert responses
    assert all(list(content) == ["application/problem+json"] for _, content in responses)
