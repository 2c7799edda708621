"""Every route has exactly one authentication rule. A new route without one fails here."""

from typing import Any

import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute

from publisher_api.app import create_app
from publisher_api.settings import GoogleSettings, Settings
from publisher_api.web.authentication import PUBLIC, require_api_key, verify_google_push
from publisher_api.web.inbox_tokens import require_inbox_user
from shared.profile import Profile
from tests.publisher.running import Publisher

RULES = {
    ("GET", "/health"): "public",
    ("GET", "/v1/health"): "public",
    ("GET", "/health/ready"): "public",
    ("GET", "/health/sweep"): "public",
    ("POST", "/internal/outcomes"): "google push",
    ("POST", "/v1/notifications"): "API key",
    ("POST", "/v1/notifications/batch"): "API key",
    ("GET", "/v1/notifications"): "API key",
    ("GET", "/v1/notifications/unread_count"): "API key",
    ("GET", "/v1/notifications/{notification_id}"): "API key",
    ("POST", "/v1/notifications/{notification_id}/read"): "API key",
    ("POST", "/v1/notifications/{notification_id}/cancel"): "API key",
    ("POST", "/v1/notifications/bulk/read"): "API key",
    ("DELETE", "/v1/notifications/user/{user_id}"): "API key",
    ("GET", "/v1/erasures/{erasure_id}"): "API key",
    ("GET", "/v1/users/{user_id}/export"): "API key",
    ("GET", "/v1/retention"): "API key",
    ("PUT", "/v1/retention"): "API key",
    ("POST", "/v1/users/{user_id}/inbox_token"): "API key",
    ("GET", "/v1/inbox"): "inbox token",
    ("GET", "/v1/inbox/live"): "inbox token",
    ("POST", "/v1/inbox/read"): "inbox token",
    ("POST", "/v1/inbox/read_all"): "inbox token",
    ("POST", "/v1/inbox/seen"): "inbox token",
    ("POST", "/v1/inbox/archive"): "inbox token",
    ("GET", "/v1/users"): "API key",
    ("PUT", "/v1/users/{user_id}"): "API key",
    ("GET", "/v1/users/{user_id}"): "API key",
    ("PATCH", "/v1/users/{user_id}"): "API key",
    ("DELETE", "/v1/users/{user_id}"): "API key",
    ("GET", "/v1/users/{user_id}/devices"): "API key",
    ("POST", "/v1/users/{user_id}/devices"): "API key",
    ("PUT", "/v1/users/{user_id}/devices/{device_id}"): "API key",
    ("DELETE", "/v1/users/{user_id}/devices/{device_id}"): "API key",
    ("GET", "/v1/templates"): "API key",
    ("PUT", "/v1/templates/{template_name}"): "API key",
    ("GET", "/v1/templates/{template_name}"): "API key",
    ("GET", "/v1/templates/{template_name}/versions"): "API key",
    ("GET", "/v1/templates/{template_name}/versions/{version}"): "API key",
    ("POST", "/v1/templates/{template_name}/publish"): "API key",
    ("POST", "/v1/templates/{template_name}/render"): "API key",
    ("GET", "/v1/users/{user_id}/preferences"): "API key",
    ("PUT", "/v1/users/{user_id}/preferences"): "API key",
    ("PATCH", "/v1/users/{user_id}/preferences"): "API key",
    ("GET", "/v1/users/{user_id}/preferences/explain"): "API key",
    ("GET", "/v1/preferences"): "API key",
    ("PUT", "/v1/preferences"): "API key",
    ("GET", "/v1/event-types"): "API key",
    ("PUT", "/v1/event-types/{event_type}"): "API key",
    ("GET", "/v1/event-types/{event_type}"): "API key",
    ("GET", "/v1/event-types/{event_type}/versions"): "API key",
    ("DELETE", "/v1/event-types/{event_type}"): "API key",
    ("GET", "/v1/limits"): "API key",
    ("PUT", "/v1/limits/{scope}"): "API key",
    ("GET", "/v1/limits/{scope}"): "API key",
    ("DELETE", "/v1/limits/{scope}"): "API key",
    ("GET", "/v1/channels"): "API key",
    ("POST", "/v1/channels"): "API key",
    ("GET", "/v1/channels/{channel}"): "API key",
    ("PUT", "/v1/channels/{channel}"): "API key",
    ("PATCH", "/v1/channels/{channel}"): "API key",
    ("DELETE", "/v1/channels/{channel}"): "API key",
    ("POST", "/v1/channels/{channel}/toggle"): "API key",
    ("POST", "/v1/channels/{channel}/test"): "API key",
    ("GET", "/v1/channel-configs"): "API key",
    ("GET", "/docs"): "public",
    ("GET", "/docs/{name}"): "public",
}
DEPENDENCIES = {require_api_key: "API key", require_inbox_user: "inbox token", verify_google_push: "google push"}
"""The rule that each dependency of a route is."""
TOKENS = ("API key", "inbox token")


GOOGLE = Settings(
    database_url="postgresql:///none",
    profile=Profile.GOOGLE,
    google=GoogleSettings(project="p", push_audience="a", push_service_account="s"),
)
POSTGRES = Settings(database_url="postgresql:///none", profile=Profile.POSTGRES)
each_profile = pytest.mark.parametrize("settings", [GOOGLE, POSTGRES], ids=["google", "postgres"])


def rules_in(settings: Settings) -> dict[tuple[str, str], str]:
    """The rules of the routes in this profile: Pub/Sub pushes in the google profile only."""
    return {key: rule for key, rule in RULES.items() if settings.google or rule != "google push"}


def api_routes(routes: Any) -> list[APIRoute]:
    found = []
    for route in routes:
        if isinstance(route, APIRoute):
            found.append(route)
        else:
            found += api_routes(getattr(getattr(route, "original_router", None), "routes", []))
    return found


def websocket_paths(routes: Any) -> list[str]:
    found = []
    for route in routes:
        if isinstance(route, APIWebSocketRoute):
            found.append(route.path)
        else:
            found += websocket_paths(getattr(getattr(route, "original_router", None), "routes", []))
    return found


@each_profile
def test_the_only_websocket_takes_a_token_in_its_first_frame(settings: Settings) -> None:
    """``test_live.py`` tests that it sends nothing before."""
    assert websocket_paths(create_app(settings).routes) == ["/v1/inbox/live"]


def path_of(path: str) -> str:
    """The path with a valid id where it needs a UUID."""
    for name in ("{notification_id}", "{erasure_id}"):
        path = path.replace(name, "00000000-0000-7000-8000-000000000000")
    return path


def rule(route: APIRoute) -> str:
    calls = [dependency.call for dependency in route.dependant.dependencies]
    rules = [name for call, name in DEPENDENCIES.items() if call in calls]
    if PUBLIC in route.tags:
        rules.append("public")
    assert len(rules) == 1, f"{route.path} has the rules {rules}, not one"
    return rules[0]


@each_profile
def test_every_route_is_listed_with_its_rule(settings: Settings) -> None:
    routes = api_routes(create_app(settings).routes)
    assert {(method, route.path_format): rule(route) for route in routes for method in route.methods or ()} == rules_in(
        settings
    )


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Basic abc", "Bearer"])
def test_a_route_answers_401_without_a_known_key_or_token(publisher: Publisher, authorization: str | None) -> None:
    headers = {"Authorization": authorization or ""}
    for method, path in [key for key, rule in RULES.items() if rule in TOKENS]:
        filled = path_of(path)
        response = publisher.http.request(method, filled.replace("{", "").replace("}", ""), headers=headers, json={})
        assert (response.status_code, response.headers["content-type"]) == (401, "application/problem+json"), path
        assert response.headers["www-authenticate"] == "Bearer"


def test_a_body_is_not_read_before_the_key_is_known(publisher: Publisher) -> None:
    for method, path in [key for key, rule in RULES.items() if rule in TOKENS]:
        filled = path_of(path)
        response = publisher.http.request(
            method,
            filled.replace("{", "").replace("}", ""),
            headers={"Authorization": "Bearer wrong", "Content-Type": "application/json"},
            content=b"{",
        )
        assert response.status_code == 401, path


@each_profile
def test_the_schema_says_how_each_route_authenticates(settings: Settings) -> None:
    paths = create_app(settings).openapi()["paths"]
    schemes: dict[str, list[dict[str, list[str]]] | None] = {
        "API key": [{"apiKey": []}],
        "inbox token": [{"inboxToken": []}],
        "google push": [{"googlePush": []}],
        "public": None,
    }
    documented = {key: rule for key, rule in rules_in(settings).items() if not key[1].startswith("/docs")}
    found = {(method, path): paths[path][method.lower()].get("security") for method, path in documented}
    assert found == {key: schemes[rule] for key, rule in documented.items()}


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
