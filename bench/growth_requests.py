"""Measures requests with few notifications and with many: accept, list, count unread, and a dedup_key that is known.

Each is the use case behind its route, without HTTP. The two databases are on one server and are measured in turn, so
that what else the machine does slows both down.
"""

import os
import random
import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from psycopg.rows import dict_row

from bench.fixtures import progress
from bench.growth_tables import FULL, PER_USER, fill
from local import postgres
from postgres.pool import Pool, make_pool
from publisher_api.accept.model import AcceptRequest, AcceptResult
from publisher_api.accept.service import accept
from publisher_api.connections import new_id, now
from publisher_api.db.config_cache import ConfigCache
from publisher_api.inbox.reader import PublishersReader
from publisher_api.inbox.service import Inbox
from publisher_api.notifications.request import NotificationRequest
from publisher_api.notifications.service import list_notifications
from publisher_api.principal import EVERYTHING

TOTALS = (10_000, 1_000_000)
_WARM_UP = 100
_REPEATS = 500
_INDEX = re.compile(r"(?:Index Scan|Index Only Scan|Bitmap Index Scan)(?: Backward)?(?: using| on) (\w+)")
_SCANNED = re.compile(r"Seq Scan on (\w+)")


@dataclass(frozen=True, slots=True)
class Plan:
    """Which indexes the statements of a request use, and which of the large tables they read as a whole."""

    indexes: list[str]
    scanned: list[str]


@dataclass(frozen=True, slots=True)
class Growth:
    """A request with few notifications and with many, in milliseconds, and its plan with many."""

    name: str
    small: float
    large: float
    plan: Plan

    @property
    def ratio(self) -> float:
        return self.large / self.small


class Requests:
    """The requests over one database with ``total`` notifications. ``pool`` has one connection."""

    def __init__(self, pool: Pool, total: int, seed: int = 0) -> None:
        self.pool = pool
        self._total = total
        self._random = random.Random(seed)  # noqa: S311 - chooses users
        self._configuration = ConfigCache(pool).current()
        self._inbox = Inbox(pool, PublishersReader(pool, now), now, new_id, lambda: None)

    @property
    def all(self) -> dict[str, Callable[[], None]]:
        return {"accept": self.accept, "list": self.list, "unread": self.unread, "dedup": self.dedup}

    def accept(self) -> None:
        self._accept(f"new-{new_id()}", duplicate=False)

    def dedup(self) -> None:
        self._accept(f"key-{self._random.randint(1, self._total)}", duplicate=True)

    def list(self) -> None:
        page = list_notifications(self.pool, self._user(), EVERYTHING, limit=20, offset=0, cursor=None)
        _check("list", len(page.notifications), 20)

    def unread(self) -> None:
        _check("unread", self._inbox.count_unread(self._user(), EVERYTHING).unread > 0, expected=True)

    def plan(self, request: Callable[[], None]) -> Plan:
        """The plan of every statement of ``request``. Needs a superuser."""
        found: list[str] = []
        with self.pool.connection() as connection:
            connection.execute("load 'auto_explain'")
            connection.execute("set auto_explain.log_min_duration = 0")
            connection.execute("set client_min_messages = 'log'")
            connection.add_notice_handler(lambda notice: found.append(notice.message_primary or ""))
        request()
        with self.pool.connection() as connection:
            connection.execute("set auto_explain.log_min_duration = -1")
        text = "\n".join(found)
        return Plan(sorted(set(_INDEX.findall(text))), sorted(set(_SCANNED.findall(text)) & set(FULL)))

    def _accept(self, dedup_key: str, *, duplicate: bool) -> None:
        fields = {"user_id": self._user(), "event_type": "payment-1", "channels": ["inapp"], "payload": {"amount": 10}}
        request = NotificationRequest.model_validate(fields | {"dedup_key": dedup_key})
        [answer], _ = accept(
            self.pool, [AcceptRequest("bench", [request])], self._configuration, now=now(), new_id=new_id
        )
        body = answer.body if isinstance(answer, AcceptResult) else {}
        _check("accept", (body.get("status"), "duplicate" in body), ("queued", duplicate))

    def _user(self) -> str:
        return f"user-{self._random.randrange(self._total // PER_USER)}"


def _check(name: str, found: object, expected: object) -> None:
    if found != expected:
        message = f"{name}: {found}, not {expected}"
        raise RuntimeError(message)


@contextmanager
def requests_over(server_url: str, total: int) -> Iterator[Requests]:
    """A new database with ``total`` notifications, and the requests over it."""
    with postgres.database(server_url, f"growth_{total}_{os.getpid()}") as url:
        postgres.migrate(url)
        with psycopg.connect(url, row_factory=dict_row) as connection:
            fill(connection, total, datetime.now(UTC))
        with make_pool(url, 1) as pool:
            yield Requests(pool, total)


def measure(server_url: str) -> list[Growth]:
    """Each request with few notifications and with many."""
    with ExitStack() as stack:
        sides = []
        for total in TOTALS:
            progress(f"fill: {total} notifications")
            sides.append(stack.enter_context(requests_over(server_url, total)))
        found = []
        for name in sides[0].all:
            progress(f"measure: {name}")
            small, large = _medians([side.all[name] for side in sides])
            found.append(Growth(name, small, large, sides[1].plan(sides[1].all[name])))
        progress("")
        return found


def _medians(sides: list[Callable[[], None]]) -> list[float]:
    taken: list[list[float]] = [[] for _ in sides]
    for number in range(_WARM_UP + _REPEATS):
        turns = list(zip(sides, taken, strict=True))
        for request, milliseconds in turns if number % 2 else reversed(turns):
            started = time.perf_counter()
            request()
            if number >= _WARM_UP:
                milliseconds.append((time.perf_counter() - started) * 1000)
    return [statistics.median(milliseconds) for milliseconds in taken]
