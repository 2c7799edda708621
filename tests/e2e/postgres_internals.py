"""The postgres profile behind the API: tables, and one worker that hosts every function."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import psycopg
from psycopg.rows import DictRow, dict_row

from functions.runtime.outcomes import encode
from local.stack import Stack
from postgres.pool import make_pool
from shared.log_events import LogEvent
from shared.outcomes import Outcome
from shared.topology import OUTCOMES_SUBSCRIPTION, OUTCOMES_TOPIC, PUBLISHER, TOPOLOGY
from transport.postgres import PostgresTopic
from transport.postgres_wakeups import CHANNEL


class PostgresInternals:
    """Implements ``tests.e2e.internals.Internals``."""

    delivering = "worker"
    repeats_after_postgres_was_away = True

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def service_of(self, function: str) -> str:  # noqa: ARG002 - one worker hosts all
        return "worker"

    def give_up_messages_of(self, service: str) -> None:
        self._sql(
            """
            update transport.messages set visible_at = clock_timestamp()
             where attempts > 0 and (subscription = %s) = %s
            """,
            OUTCOMES_SUBSCRIPTION,
            service == PUBLISHER,
        )
        self._wake(OUTCOMES_SUBSCRIPTION)

    @contextmanager
    def messages_kept(self, function: str, notification_id: str) -> Iterator[None]:
        """The worker may run meanwhile: a row that becomes visible tomorrow is not taken."""
        subscription = TOPOLOGY[function].subscription
        move = """
            update transport.messages set visible_at = clock_timestamp() + %s::interval
             where subscription = %s and attributes ->> 'notification_id' = %s returning 1 as moved
        """
        assert self._sql(move, "1 day", subscription, notification_id)
        yield
        self._sql(move, "0", subscription, notification_id)
        self._wake(subscription)

    @contextmanager
    def publishing_suspended(self) -> Iterator[None]:
        with psycopg.connect(self._stack.config.database_url) as connection:
            connection.execute("lock table transport.messages in share mode")
            yield

    def claimed_keys(self) -> set[str]:
        return {row["key"] for row in self._sql("select key from state.ledger where state = 'claimed'")}

    def expire_lease(self, key: str) -> None:
        assert key in self.claimed_keys()
        self._sql("update state.ledger set lease_until = now() - interval '1 minute' where key = %s", key)

    def switches(self) -> dict[str, bool]:
        rows = self._sql("select channels from state.switches")
        switches: dict[str, bool] = rows[0]["channels"] if rows else {}
        return switches

    def inbox(self, user_id: str) -> dict[str, datetime | None]:
        rows = self._sql("select notification_id, read_at from state.inbox where user_id = %s", user_id)
        return {row["notification_id"]: row["read_at"] for row in rows}

    def refusals(self, subscription: str) -> int:
        """From the worker's log since its start: a message that was put back leaves no trace when it is done."""
        records = (json.loads(line) for line in self._log_lines() if line.startswith("{"))
        return sum(
            record.get("event") == LogEvent.MESSAGE_RETRYABLE.value and record["subscription"] == subscription
            for record in records
        )

    def publish_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        with make_pool(self._stack.config.database_url, 1) as pool:
            assert list(PostgresTopic(pool, OUTCOMES_TOPIC, encode).publish(outcomes)) == [list(outcomes)]

    def _log_lines(self) -> list[str]:
        return self._stack.child("worker").log.read_text(errors="replace").splitlines()

    def _wake(self, subscription: str) -> None:
        self._sql("select pg_notify(%s, %s)", CHANNEL, subscription)

    def _sql(self, statement: str, *parameters: object) -> list[DictRow]:
        with psycopg.connect(self._stack.config.database_url, row_factory=dict_row, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description is not None else []
