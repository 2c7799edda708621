"""The profiles outside of Google Cloud behind the API: state in Postgres, and one worker that hosts every function."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime

import psycopg
from psycopg.rows import DictRow, dict_row

from functions.runtime.outcomes import encode
from local.config import WORKER_ROLE
from local.stack import Stack
from postgres.pool import make_pool
from shared.log_events import LogEvent
from shared.outcomes import Outcome
from shared.topology import FUNCTIONS, OUTCOMES_TOPIC, PUBLISHER, Subscription, subscriptions
from tests.e2e.waiting import eventually, frozen
from transport.connect import connect_transport


class SelfHostedInternals(ABC):
    """What ``tests.e2e.internals.Internals`` has in common in these profiles."""

    delivering = "worker"
    transport_server: str
    repeats_after_postgres_was_away = False

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def service_of(self, function: str) -> str:  # noqa: ARG002 - one worker hosts all
        return "worker"

    @abstractmethod
    def give_up_messages_of(self, service: str) -> None: ...

    def give_up_messages_of_all(self) -> None:
        for service in (PUBLISHER, "worker"):
            self.give_up_messages_of(service)

    @abstractmethod
    def messages_left(self) -> int: ...

    @contextmanager
    def publishing_suspended(self) -> Iterator[None]:
        with frozen(self._stack, self.transport_server):
            yield

    def claimed_keys(self) -> set[str]:
        return {row["key"] for row in self._sql("select key from state.ledger where state = 'claimed'")}

    def interrupted_keys(self) -> set[str]:
        """Waits until Postgres has ended the sessions of the killed worker, and so its last statements."""
        sessions = "select from pg_stat_activity where usename = %s"
        eventually(lambda: not self._sql(sessions, WORKER_ROLE), "the sessions of the worker to end")
        return self.claimed_keys()

    def expire_lease(self, key: str) -> bool:
        expire = """
            update state.ledger set lease_until = now() - interval '1 minute'
             where key = %s and state = 'claimed' returning key
        """
        return bool(self._sql(expire, key))

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
        config = self._stack.config
        with (
            make_pool(config.database_url, 1) as pool,
            closing(connect_transport(config.profile, config.environment("worker"), pool)) as transport,
            closing(transport.topic(OUTCOMES_TOPIC, encode)) as topic,
        ):
            assert list(topic.publish(outcomes)) == [list(outcomes)]

    def _taken_by(self, service: str) -> list[Subscription]:
        """The subscriptions whose messages ``service`` takes: the publisher or the worker."""
        targets = {PUBLISHER} if service == PUBLISHER else set(FUNCTIONS)
        return [each for each in subscriptions() if each.target in targets]

    def _log_lines(self) -> list[str]:
        return self._stack.child("worker").log.read_text(errors="replace").splitlines()

    def _sql(self, statement: str, *parameters: object) -> list[DictRow]:
        with psycopg.connect(self._stack.config.database_url, row_factory=dict_row, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description is not None else []
