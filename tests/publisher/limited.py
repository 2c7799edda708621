"""A publisher whose limits a test declares, and what its tests send and read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx

from postgres.pool import make_pool
from publisher_api.settings import Settings
from tests.conftest import NewDatabase
from tests.publisher.running import Publisher, Reporter, create_api_key, notification, serving
from tests.publisher.topic import InspectedTable

MONTH = 31 * 86_400
"""A window in which a token takes so long that a test gets none."""
HOOK = {"webhook": "https://hooks.example.com/x"}


@contextmanager
def publisher_of_its_own(settings: Settings, new_database: NewDatabase) -> Iterator[Publisher]:
    """A publisher with a database of its own: limits hold for every test that uses it."""
    with new_database("limits") as url:
        own = replace(settings, database_url=url)
        with make_pool(url, 2) as pool, serving(own) as address:
            publisher = Publisher(address, create_api_key(url, "tests"), own, InspectedTable(url), Reporter(pool))
            yield publisher
            publisher.http.close()


def without_limits(publisher: Publisher) -> Publisher:
    """The publisher without any limit, and with full buckets."""
    for each in publisher.http.get("/v1/limits").json()["limits"]:
        assert publisher.http.delete(f"/v1/limits/{each['scope']}").status_code == 204
    publisher.sql("truncate limit_buckets")
    return publisher


def limit(publisher: Publisher, scope: str, count: int, window_seconds: int = MONTH, **fields: int) -> dict[str, Any]:
    """Declare a limit; returns it as it is stored."""
    declared = {"limit": count, "window_seconds": window_seconds, **fields}
    response = publisher.http.put(f"/v1/limits/{scope}", json=declared)
    assert response.status_code == 200, response.text
    view: dict[str, Any] = response.json()
    return view


def send(publisher: Publisher, key: str | None = None, **fields: object) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return publisher.http.post("/v1/notifications", json=notification(**fields), headers=headers)


def send_batch(publisher: Publisher, items: list[dict[str, object]], key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return publisher.http.post("/v1/notifications/batch", json=items, headers=headers)


def deliveries_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    deliveries: list[dict[str, Any]] = found["deliveries"]
    return deliveries


def events_of(found: dict[str, Any], event: str) -> list[dict[str, Any]]:
    """The details of the timeline's entries for this event."""
    return [entry["detail"] for entry in found["timeline"] if entry["event"] == event]
