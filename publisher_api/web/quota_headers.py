"""What is left of a producer's limit as ``RateLimit`` fields of HTTP (draft-ietf-httpapi-ratelimit-headers). Pure.

They are structured fields (RFC 9651). A unit of the quota is a notification, so a batch takes as many as it has items.
"""

from typing import Any

from publisher_api.limits.model import EACH_PRODUCER, Quota

_STRING = {"type": "string"}
DOCUMENTED: dict[str, Any] = {
    "RateLimit-Policy": {
        "description": "The producer's limit: `q` notifications in `w` seconds. Absent without a limit.",
        "schema": _STRING,
        "example": '"producer";q=100;w=1;heliograph-burst=500',
    },
    "RateLimit": {
        "description": "What is left of it: `r` notifications now, and one more in `t` seconds.",
        "schema": _STRING,
        "example": '"producer";r=42;t=1',
    },
}
"""The fields in the API's schema."""


def quota_headers(quota: Quota) -> dict[str, str]:
    """The two fields. The draft has no word for a bucket that holds more than ``q``, so that parameter is our own."""
    limit = quota.limit
    burst = f";heliograph-burst={limit.burst}" if limit.burst != limit.limit else ""
    return {
        "RateLimit-Policy": f'"{EACH_PRODUCER}";q={limit.limit};w={limit.window_seconds}{burst}',
        "RateLimit": f'"{EACH_PRODUCER}";r={quota.remaining};t={quota.reset_seconds}',
    }
