"""Who may call what: the one table. Each route has a row, and ``AuthenticatedRoute`` does what the row says. Pure.

``docs/operations.md`` explains the scopes. A route without a row ends the start of the publisher.
"""

from collections.abc import Mapping
from enum import StrEnum

from publisher_api.principal import Scope


class Only(StrEnum):
    """Rules that are no scope."""

    ANYONE = "anyone"
    PERSON = "person"
    """A user with a token of their own; the route acts on what belongs to this user, and on nothing else."""
    GOOGLE = "google"
    """Google Pub/Sub, with the OIDC token of the push account."""


Rule = Scope | Only
WEBSOCKET = "WEBSOCKET"
"""The method of a route that accepts WebSockets. The first frame has the token."""

FURTHER_SCOPES: Mapping[tuple[str, str], Mapping[Scope, str]] = {
    ("POST", "/v1/channels/{channel}/test"): {Scope.SEND: "for every test"},
    ("POST", "/v1/templates/{template_name}/render"): {
        Scope.READ: "with a `notification_id`",
        Scope.USERS: "with a `user_id`",
    },
    ("PUT", "/v1/event-types/{event_type}"): {
        Scope.ADMIN: "to change `retention_days`, or to a category that is kept for less"
    },
    ("DELETE", "/v1/event-types/{event_type}"): {
        Scope.ADMIN: "if it has `retention_days`, or a category that is kept for longer"
    },
}
"""What the use case of a route asks for besides the scope of its row, and when."""

RULES: Mapping[tuple[str, str], Rule] = {
    ("GET", "/health"): Only.ANYONE,
    ("GET", "/v1/health"): Only.ANYONE,
    ("GET", "/health/ready"): Only.ANYONE,
    ("GET", "/health/sweep"): Only.ANYONE,
    ("GET", "/openapi.json"): Only.ANYONE,
    ("GET", "/docs"): Only.ANYONE,
    ("GET", "/docs/{name}"): Only.ANYONE,
    ("POST", "/internal/outcomes"): Only.GOOGLE,
    ("POST", "/v1/notifications"): Scope.SEND,
    ("POST", "/v1/notifications/batch"): Scope.SEND,
    ("POST", "/v1/notifications/{notification_id}/cancel"): Scope.SEND,
    ("GET", "/v1/notifications"): Scope.READ,
    ("GET", "/v1/notifications/unread_count"): Scope.READ,
    ("GET", "/v1/notifications/{notification_id}"): Scope.READ,
    ("POST", "/v1/notifications/{notification_id}/read"): Scope.USERS,
    ("POST", "/v1/notifications/bulk/read"): Scope.USERS,
    ("GET", "/v1/users"): Scope.USERS,
    ("PUT", "/v1/users/{user_id}"): Scope.USERS,
    ("GET", "/v1/users/{user_id}"): Scope.USERS,
    ("PATCH", "/v1/users/{user_id}"): Scope.USERS,
    ("DELETE", "/v1/users/{user_id}"): Scope.USERS,
    ("POST", "/v1/users/{user_id}/inbox_token"): Scope.USERS,
    ("GET", "/v1/users/{user_id}/devices"): Scope.USERS,
    ("POST", "/v1/users/{user_id}/devices"): Scope.USERS,
    ("PUT", "/v1/users/{user_id}/devices/{device_id}"): Scope.USERS,
    ("DELETE", "/v1/users/{user_id}/devices/{device_id}"): Scope.USERS,
    ("GET", "/v1/users/{user_id}/preferences"): Scope.USERS,
    ("PUT", "/v1/users/{user_id}/preferences"): Scope.USERS,
    ("PATCH", "/v1/users/{user_id}/preferences"): Scope.USERS,
    ("GET", "/v1/users/{user_id}/preferences/explain"): Scope.USERS,
    ("GET", "/v1/preferences"): Scope.CONFIGURE,
    ("PUT", "/v1/preferences"): Scope.CONFIGURE,
    ("GET", "/v1/templates"): Scope.CONFIGURE,
    ("PUT", "/v1/templates/{template_name}"): Scope.CONFIGURE,
    ("GET", "/v1/templates/{template_name}/versions"): Scope.CONFIGURE,
    ("GET", "/v1/templates/{template_name}/versions/{version}"): Scope.CONFIGURE,
    ("POST", "/v1/templates/{template_name}/publish"): Scope.CONFIGURE,
    ("GET", "/v1/templates/{template_name}"): Scope.CONFIGURE,
    ("POST", "/v1/templates/{template_name}/render"): Scope.CONFIGURE,
    ("GET", "/v1/event-types"): Scope.CONFIGURE,
    ("PUT", "/v1/event-types/{event_type}"): Scope.CONFIGURE,
    ("GET", "/v1/event-types/{event_type}"): Scope.CONFIGURE,
    ("GET", "/v1/event-types/{event_type}/versions"): Scope.CONFIGURE,
    ("DELETE", "/v1/event-types/{event_type}"): Scope.CONFIGURE,
    ("GET", "/v1/channels"): Scope.CONFIGURE,
    ("POST", "/v1/channels"): Scope.CONFIGURE,
    ("GET", "/v1/channels/{channel}"): Scope.CONFIGURE,
    ("PUT", "/v1/channels/{channel}"): Scope.CONFIGURE,
    ("PATCH", "/v1/channels/{channel}"): Scope.CONFIGURE,
    ("DELETE", "/v1/channels/{channel}"): Scope.CONFIGURE,
    ("POST", "/v1/channels/{channel}/toggle"): Scope.CONFIGURE,
    ("POST", "/v1/channels/{channel}/test"): Scope.CONFIGURE,
    ("GET", "/v1/channel-configs"): Scope.CONFIGURE,
    ("GET", "/v1/retention"): Scope.CONFIGURE,
    ("GET", "/v1/limits"): Scope.CONFIGURE,
    ("PUT", "/v1/limits/{scope}"): Scope.CONFIGURE,
    ("GET", "/v1/limits/{scope}"): Scope.CONFIGURE,
    ("DELETE", "/v1/limits/{scope}"): Scope.CONFIGURE,
    ("PUT", "/v1/retention"): Scope.ADMIN,
    ("DELETE", "/v1/notifications/user/{user_id}"): Scope.ADMIN,
    ("GET", "/v1/erasures/{erasure_id}"): Scope.ADMIN,
    ("GET", "/v1/users/{user_id}/export"): Scope.ADMIN,
    ("GET", "/v1/api-keys"): Scope.ADMIN,
    ("POST", "/v1/api-keys"): Scope.ADMIN,
    ("POST", "/v1/api-keys/{key_id}/rotate"): Scope.ADMIN,
    ("DELETE", "/v1/api-keys/{key_id}"): Scope.ADMIN,
    ("GET", "/v1/audit-log"): Scope.ADMIN,
    ("GET", "/v1/me/notifications"): Only.PERSON,
    ("GET", "/v1/me/notifications/{notification_id}"): Only.PERSON,
    ("GET", "/v1/me/preferences"): Only.PERSON,
    ("PUT", "/v1/me/preferences"): Only.PERSON,
    ("PATCH", "/v1/me/preferences"): Only.PERSON,
    ("GET", "/v1/me/preferences/explain"): Only.PERSON,
    ("GET", "/v1/me/devices"): Only.PERSON,
    ("POST", "/v1/me/devices"): Only.PERSON,
    ("PUT", "/v1/me/devices/{device_id}"): Only.PERSON,
    ("DELETE", "/v1/me/devices/{device_id}"): Only.PERSON,
    ("GET", "/v1/inbox"): Only.PERSON,
    ("GET", "/v1/inbox/live"): Only.PERSON,
    (WEBSOCKET, "/v1/inbox/live"): Only.PERSON,
    ("POST", "/v1/inbox/read"): Only.PERSON,
    ("POST", "/v1/inbox/read_all"): Only.PERSON,
    ("POST", "/v1/inbox/seen"): Only.PERSON,
    ("POST", "/v1/inbox/archive"): Only.PERSON,
}
