"""Accepting takes a constant number of SQL statements, however many notifications there are. libpq counts them."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import uuid_utils

from postgres.pool import Pool, make_pool
from publisher_api.accept.model import AcceptRequest, AcceptResult
from publisher_api.accept.service import accept
from publisher_api.channels.model import Channel
from publisher_api.configuration import Configuration
from publisher_api.limits.model import Limit, Limits
from publisher_api.notifications.request import NotificationRequest
from tests.publisher.running import notification

MANY = Limit(limit=1_000_000, window_seconds=1, burst=1_000_000)
FEW = Limit(limit=1, window_seconds=86_400, burst=1)


@pytest.fixture
def pool(postgres_url: str) -> Iterator[Pool]:
    """One connection."""
    with make_pool(postgres_url, 1) as pool:
        yield pool


def limits(limit: Limit) -> Limits:
    """Every kind of limit."""
    return Limits({"producer": limit, "user": limit}, {"webhook": limit})


def statements(pool: Pool, limits: Limits, items: int, *, keys: bool) -> int:
    """How many statements it takes to accept so many notifications, in one transaction."""
    channels = {name: Channel(slug=name, channel_type=name) for name in ("inapp", "webhook")}
    requests = [
        AcceptRequest(
            f"producer-{number % 3}", [request(number, keys=keys)], idempotency_key=new_id() if keys else None
        )
        for number in range(items)
    ]
    with tempfile.TemporaryFile("w+") as trace:
        with pool.connection() as connection:
            connection.pgconn.trace(trace.fileno())
        answers, _ = accept(
            pool, requests, Configuration(channels, {}, {}, limits=limits), now=datetime.now(UTC), new_id=new_id
        )
        with pool.connection() as connection:
            connection.pgconn.untrace()
        trace.seek(0)
        # Time, direction, length, message. Psycopg sends a statement as "Execute", BEGIN and COMMIT as "Query".
        sent = [line.split("\t")[1::2] for line in trace if line.count("\t") > 2]
    assert sum(isinstance(answer, AcceptResult) for answer in answers) >= 1
    return sum(fields[:2] in (["F", "Execute"], ["F", "Query"]) for fields in sent)


def request(number: int, *, keys: bool) -> NotificationRequest:
    given = {"dedup_key": new_id(), "notification_id": new_id()} if keys else {}
    to = {"webhook": "https://hooks.example.com/x"}
    return NotificationRequest.model_validate(
        notification(user_id=f"user-{number}", channels=["inapp", "webhook"], to=to, **given)
    )


def new_id() -> str:
    return str(uuid_utils.uuid7())


@pytest.mark.parametrize(
    ("limits", "keys", "expected"),
    [
        (Limits(), False, 2),  # load, save
        (limits(MANY), False, 3),  # load, take tokens, save
        (limits(FEW), False, 3),
        (Limits(), True, 6),  # load; begin, lock the keys, look again, save, commit
        (limits(MANY), True, 7),
    ],
    ids=["nothing", "limits", "reached limits", "keys", "keys and limits"],
)
def test_a_batch_takes_a_constant_number_of_statements(pool: Pool, limits: Limits, keys: bool, expected: int) -> None:  # noqa: FBT001 - a parameter of the test
    assert {items: statements(pool, limits, items, keys=keys) for items in (1, 2, 50)} == {
        1: expected,
        2: expected,
        50: expected,
    }
