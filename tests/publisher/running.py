"""A running publisher, and the smallest request for it."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import psycopg
import uvicorn
from psycopg.rows import DictRow, dict_row

from functions.runtime.outcomes import encode
from local.processes import free_port
from postgres.pool import Pool, autocommit, make_pool
from publisher_api.api_keys.model import KeyFields
from publisher_api.api_keys.service import ApiKeys
from publisher_api.app import create_app
from publisher_api.principal import command
from publisher_api.settings import Settings
from shared.outcomes import Outcome, Result
from shared.topology import OUTCOMES_TOPIC
from tests.publisher.topic import Inspected, waiting_for
from transport.postgres import PostgresTopic

LATER = (datetime.now(UTC) + timedelta(days=300)).isoformat()
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
"""The time of the outcomes that tests report."""


@dataclass
class Publisher:
    """A running publisher: ``http`` sends an API key, ``topic`` reads what was published, ``sql`` queries.

    ``report_outcome`` reports an outcome the way of the profile, and returns when it is recorded.
    """

    url: str
    api_key: str
    settings: Settings
    topic: Inspected
    report_outcome: Callable[[Outcome], None]
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.api_key}"}, timeout=20)

    @property
    def database_url(self) -> str:
        return self.settings.database_url

    def sql(self, statement: str, *parameters: object) -> list[DictRow]:
        with psycopg.connect(self.database_url, row_factory=dict_row, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description is not None else []

    def accept(self, **fields: object) -> str:
        """Send a notification that must be accepted; returns its id."""
        response = self.http.post("/v1/notifications", json=notification(**fields))
        assert response.status_code == 202, response.text
        notification_id: str = response.json()["notification_id"]
        return notification_id

    def inbox_token(self, user_id: str) -> str:
        """A token of this user, as an app's own server gets it."""
        response = self.http.post(f"/v1/users/{user_id}/inbox_token")
        assert response.status_code == 200, response.text
        token: str = response.json()["token"]
        return token

    def report(self, delivery_id: str, result: Result, seconds: int = 0, **fields: Any) -> None:
        """Report an outcome of this delivery, ``seconds`` after ``NOW``. Returns when it is recorded."""
        self.report_outcome(outcome_of(delivery_id, result, seconds, **fields))

    def read(self, notification_id: str) -> dict[str, object]:
        response = self.http.get(f"/v1/notifications/{notification_id}")
        assert response.status_code == 200, response.text
        found: dict[str, object] = response.json()
        return found


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """Run a publisher in a thread. Yields its address.

    It must stop before its database does: a pool that reconnects draws random delays in threads of its own, and
    Hypothesis reports any use of ``random`` during another test.
    """
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(create_app(settings), host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        waiting_for(lambda: server.started, "the publisher to start")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


class Reporter:
    """Reports outcomes over the transport in Postgres, as the worker does."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._topic = PostgresTopic(pool, OUTCOMES_TOPIC, encode)

    def __call__(self, outcome: Outcome) -> None:
        assert list(self._topic.publish([outcome])) == [[outcome]]
        waiting_for(lambda: not self._is_queued(encode(outcome).data), f"{outcome} to be recorded")

    def _is_queued(self, data: bytes) -> bool:
        """Whether the message exists: the intake deletes it in the end, unless it becomes a dead letter."""
        with autocommit(self._pool) as connection:
            return connection.execute("select from transport.messages where data = %s", [data]).fetchone() is not None


def outcome_of(delivery_id: str, result: Result = "sent", seconds: int = 0, **fields: Any) -> Outcome:
    """An outcome, ``seconds`` after ``NOW``."""
    return Outcome(
        notification_id=str(uuid.uuid4()),
        delivery_id=delivery_id,
        round=fields.pop("round", 0),
        result=result,
        at=NOW + timedelta(seconds=seconds),
        **fields,
    )


def create_api_key(database_url: str, producer: str, *scopes: str, **others: Any) -> str:
    """Store a new API key of ``producer``, an administrator's unless ``scopes`` are given; returns the key."""
    with make_pool(database_url, 1) as pool:
        keys = ApiKeys(pool, partial(datetime.now, UTC), lambda: str(uuid.uuid4()), lambda: None)
        fields = KeyFields.model_validate({"producer": producer, "scopes": scopes or ["admin"], **others})
        return keys.create(fields, command("tests")).key


def notification(**fields: object) -> dict[str, object]:
    """The smallest request, with ``fields`` over it."""
    return {
        "user_id": f"u-{uuid.uuid4().hex[:8]}",
        "event_type": "payment",
        "channels": ["inapp"],
        "payload": {},
    } | fields


def problem_of(response: httpx.Response) -> tuple[int, str, list[str]]:
    """The status, the code and the fields of a problem."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["detail"]
    fields = [error["field"] for error in problem.get("errors", [])]
    return response.status_code, problem["type"].removeprefix("urn:heliograph:problem:"), fields
