"""A refusal as the JSON of a problem (RFC 9457), with its header fields, and the one HTTP status of each code. Pure."""

from collections.abc import Mapping
from typing import Any

from publisher_api.limits.model import LimitReached
from publisher_api.refusal import Refusal, RefusalCode
from publisher_api.web.quota_headers import quota_headers

MEDIA_TYPE = "application/problem+json"
STATUS_OF_CODE: Mapping[RefusalCode, int] = {
    RefusalCode.MALFORMED_JSON: 400,
    RefusalCode.MALFORMED_REQUEST: 400,
    RefusalCode.CREDENTIAL_EXPIRED: 401,
    RefusalCode.UNAUTHORIZED: 401,
    RefusalCode.INSUFFICIENT_SCOPE: 403,
    RefusalCode.ORIGIN_REFUSED: 403,
    RefusalCode.NOT_FOUND: 404,
    RefusalCode.METHOD_NOT_ALLOWED: 405,
    RefusalCode.ALREADY_EXISTS: 409,
    RefusalCode.BUILT_IN: 409,
    RefusalCode.IN_FLIGHT: 409,
    RefusalCode.IN_USE: 409,
    RefusalCode.NOTIFICATION_ID_TAKEN: 409,
    RefusalCode.TOO_LARGE: 413,
    RefusalCode.IDEMPOTENCY_KEY_REUSED: 422,
    RefusalCode.INVALID_REQUEST: 422,
    RefusalCode.NOTHING_ACCEPTED: 422,
    RefusalCode.TEMPLATE_FAILED: 422,
    RefusalCode.UNKNOWN_CHANNEL: 422,
    RefusalCode.UNKNOWN_TEMPLATE: 422,
    RefusalCode.RATE_LIMITED: 429,
    RefusalCode.TOO_MANY_STREAMS: 429,
    RefusalCode.INTERNAL: 500,
    RefusalCode.OVERLOADED: 503,
    RefusalCode.TIMED_OUT: 503,
    RefusalCode.UNAVAILABLE: 503,
}
HEADERS_OF_CODE: Mapping[RefusalCode, Mapping[str, str]] = {
    RefusalCode.CREDENTIAL_EXPIRED: {"WWW-Authenticate": 'Bearer error="invalid_token"'},
    RefusalCode.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    RefusalCode.IN_FLIGHT: {"Retry-After": "1"},
    RefusalCode.OVERLOADED: {"Retry-After": "2"},
    RefusalCode.TOO_MANY_STREAMS: {"Retry-After": "30"},
    RefusalCode.TIMED_OUT: {"Retry-After": "5"},
    RefusalCode.UNAVAILABLE: {"Retry-After": "5"},
}


def headers_of(refusal: Refusal) -> dict[str, str]:
    """The header fields that belong to the refusal."""
    headers = dict(HEADERS_OF_CODE.get(refusal.code, {}))
    if isinstance(refusal, LimitReached):
        headers |= quota_headers(refusal.quota)
        if refusal.retry_after_seconds is not None:
            headers["Retry-After"] = str(refusal.retry_after_seconds)
    if refusal.code is RefusalCode.INSUFFICIENT_SCOPE:  # RFC 6750
        headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{refusal.members["scope"]}"'
    return headers


def problem_body(refusal: Refusal) -> dict[str, Any]:
    """``type``, ``title``, ``status``, ``detail``; ``errors`` with a field each; and the refusal's own members."""
    body: dict[str, Any] = {
        "type": f"urn:heliograph:problem:{refusal.code}",
        "title": refusal.code.description,
        "status": STATUS_OF_CODE[refusal.code],
        "detail": refusal.detail,
    }
    if refusal.fields:
        body["errors"] = [{"field": field, "message": message} for field, message in refusal.fields]
    return {**body, **refusal.members}
