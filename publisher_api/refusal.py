"""The core's one error for a request that cannot be carried out. Independent of HTTP; ``web/problem.py`` adds that."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.described import Described


class RefusalCode(Described):
    """The stable code and the title for readers."""

    ALREADY_EXISTS = "already_exists", "It exists already"
    BUILT_IN = "built_in", "It belongs to Heliograph and cannot be deleted"
    CREDENTIAL_EXPIRED = "credential_expired", "The API key or token has expired"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused", "This Idempotency-Key belongs to another request"
    INSUFFICIENT_SCOPE = "insufficient_scope", "The API key or token lacks the scope for this"
    IN_USE = "in_use", "Something else still needs it"
    INTERNAL = "internal", "Internal error"
    IN_FLIGHT = "in_flight", "An earlier request with this key is still in progress"
    INVALID_REQUEST = "invalid_request", "The request is not valid"
    MALFORMED_JSON = "malformed_json", "The body is not JSON"
    MALFORMED_REQUEST = "malformed_request", "The request cannot be read"
    METHOD_NOT_ALLOWED = "method_not_allowed", "This address does not accept this method"
    NOT_FOUND = "not_found", "Not found"
    NOTHING_ACCEPTED = "nothing_accepted", "No notification of the batch was accepted"
    NOTIFICATION_ID_TAKEN = "notification_id_taken", "This notification_id belongs to another notification"
    ORIGIN_REFUSED = "origin_refused", "This web page may not call the API of users"
    OVERLOADED = "overloaded", "Too many requests are waiting"
    RATE_LIMITED = "rate_limited", "The limit of the producer is reached"
    TEMPLATE_FAILED = "template_failed", "The template cannot be rendered with this payload"
    TIMED_OUT = "timed_out", "The request took too long"
    TOO_LARGE = "too_large", "The request is too large"
    TOO_MANY_STREAMS = "too_many_streams", "Too many streams are open"
    UNAUTHORIZED = "unauthorized", "The request is not authenticated"
    UNAVAILABLE = "unavailable", "The service is temporarily unavailable"
    UNKNOWN_CHANNEL = "unknown_channel", "Unknown channel"
    UNKNOWN_TEMPLATE = "unknown_template", "Unknown template"


class Refusal(Exception):
    """A request that cannot be carried out: what is wrong, where, and what to do.

    ``code`` is stable and meant for programs. ``fields`` holds pairs of a field's path (``content.email.subject``) and
    a sentence about it. ``members`` are further facts that belong to this code.
    """

    def __init__(
        self,
        code: RefusalCode,
        detail: str,
        *,
        fields: Sequence[tuple[str, str]] = (),
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.fields = tuple(fields)
        self.members = dict(members or {})


def invalid(field: str, message: str, code: RefusalCode = RefusalCode.INVALID_REQUEST) -> Refusal:
    """A refusal about one field."""
    return Refusal(code, f"{field}: {message}", fields=[(field, message)])


def not_found(what: str, remedy: str = "") -> Refusal:
    """A refusal for something that does not exist: ``not_found("User 'x'", "Create it with PUT /v1/users/x.")``."""
    return Refusal(RefusalCode.NOT_FOUND, f"{what} not found. {remedy}".rstrip())


def overloaded() -> Refusal:
    """The refusal of a request that was not begun."""
    detail = "Too many requests are waiting. This one was not begun, so nothing of it is stored. Send it again."
    return Refusal(RefusalCode.OVERLOADED, detail)
