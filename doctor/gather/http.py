"""Plain HTTP: the publisher, the functions, the local bridge, and whose clock says what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from doctor.facts import Answer, Clock, Publisher, Unreachable, clock_of

# The Date header has whole seconds, rounded down.
_ROUNDED_OFF = timedelta(seconds=0.5)
_NO_PUSH: Mapping[str, Any] = {"message": {}}


def ask(
    client: httpx.Client, url: str, method: str = "GET", *, body: Mapping[str, Any] | None = None
) -> tuple[Answer | Unreachable, Clock | None]:
    """What ``url`` answers to a request without credentials, and the clock in the answer."""
    asked = datetime.now(UTC)
    try:
        response = client.request(method, url, json=body)
    except httpx.HTTPError as error:
        return Unreachable(f"{url}: {str(error) or type(error).__name__}"), None
    clock = None
    if date := response.headers.get("Date"):
        clock = clock_of(parsedate_to_datetime(date) + _ROUNDED_OFF, asked, datetime.now(UTC))
    return Answer(response.status_code, _object(response)), clock


@dataclass(frozen=True, slots=True)
class PublisherAsked:
    """The publisher's facts and its clock."""

    publisher: Publisher
    clock: Clock | None


def ask_publisher(client: httpx.Client, url: str) -> PublisherAsked:
    """The push carries neither token nor outcome: even a publisher that took it could record nothing."""
    health, clock = ask(client, f"{url}/health")
    sweep, _ = ask(client, f"{url}/health/sweep")
    unsigned_push, _ = ask(client, f"{url}/internal/outcomes", "POST", body=_NO_PUSH)
    return PublisherAsked(Publisher(health, sweep, unsigned_push), clock)


def _object(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
