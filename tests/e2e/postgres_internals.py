"""The postgres profile behind the API: messages are rows."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from shared.topology import TOPOLOGY
from tests.e2e.self_hosted_internals import SelfHostedInternals
from tests.e2e.waiting import frozen
from transport.postgres_wakeups import CHANNEL


class PostgresInternals(SelfHostedInternals):
    """Implements ``Internals``, ``CountsMessages`` and ``KeepsMessages`` of ``tests.e2e.internals``."""

    transport_server = "postgres"
    repeats_after_postgres_was_away = True

    def give_up_messages_of(self, service: str) -> None:
        names = [subscription.name for subscription in self._taken_by(service)]
        self._sql(
            """
            update transport.messages set visible_at = clock_timestamp()
             where attempts > 0 and subscription = any(%s)
            """,
            names,
        )
        for name in names:
            self._wake(name)

    def give_up_messages_of_all(self) -> None:
        """The worker could not record what it had sent: the server had the ledger, too.

        The worker is frozen so that it claims nothing meanwhile: what it is sending now must keep its lease.
        """
        with frozen(self._stack, "worker"):
            self._sql("update state.ledger set lease_until = now() - interval '1 minute' where state = 'claimed'")
            super().give_up_messages_of_all()

    def messages_left(self) -> int:
        names = [subscription.name for subscription in self._taken_by("worker")]
        [row] = self._sql("select count(*) from transport.messages where subscription = any(%s)", names)
        count: int = row["count"]
        return count

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
        """Locks the messages only: the rest of Postgres must serve the API."""
        with psycopg.connect(self._stack.config.database_url) as connection:
            connection.execute("lock table transport.messages in share mode")
            yield

    def _wake(self, subscription: str) -> None:
        self._sql("select pg_notify(%s, %s)", CHANNEL, subscription)
