"""Reads HTTP endpoints without credentials: the publisher, the functions, the push bridge, and their clocks."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from doctor.facts import Clock, Publisher, Response, Unreachable, clock_of

# The Date header has whole seconds, rounded down.
_MEAN_ROUNDING = timedelta(seconds=0.5)
_EMPTY_PUSH: Mapping[str, Any] = {"message": {}}


def request(
    client: httpx.Client, url: str, method: str = "GET", *, body: Mapping[str, Any] | None = None
) -> tuple[Response | Unreachable, Clock | None]:
    """The response of ``url`` to a request without credentials, and the clock from its Date header."""
    requested = datetime.now(UTC)
    try:
        response = client.request(method, url, json=body)
    except httpx.HTTPError as error:
        return Unreachable(f"{url}: {str(error) or type(error).__name__}"), None
    clock = None
    if date := response.headers.get("Date"):
        clock = clock_of(parsedate_to_datetime(date) + _MEAN_ROUNDING, requested, datetime.now(UTC))
    return Response(response.status_code, _json_object(response)), clock


def read_publisher(client: httpx.Client, url: str) -> tuple[Publisher, Clock | None]:
    """The push has neither token nor outcome, so even a publisher that accepted it would record nothing."""
    health, clock = request(client, f"{url}/health")
    sweep, _ = request(client, f"{url}/health/sweep")
    unsigned_push, _ = request(client, f"{url}/internal/outcomes", "POST", body=_EMPTY_PUSH)
    return Publisher(health, sweep, unsigned_push), clock


def _json_object(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
