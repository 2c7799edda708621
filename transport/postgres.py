"""Postgres as a transport: a row for each message in each subscription.

Published rows are visible at once. A worker that takes a row hides it until the subscription's deadline; what it does
not settle by then is visible again. A NOTIFY for each statement wakes the workers, and one connection of each process
listens. Nothing is lost with the server: a message is as safe as any other row.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Generic

import msgspec
import psycopg
from psycopg.errors import InsufficientPrivilege

from postgres.pool import Pool, address_of, autocommit
from shared.topology import Subscription, subscriptions_to
from transport.batches import encoded_batches
from transport.port import Encoded, M, PublishError, PublishRefused, Received, Taken, TransportError
from transport.postgres_wakeups import CHANNEL, Wakeups

# In the FROM list of a statement: its transaction does not wait for the disk.
_RELAXED = "(select set_config('synchronous_commit', 'off', true)) as relaxed"
_attributes = msgspec.json.Decoder(dict[str, str])


class PostgresTopic(Generic[M]):
    """One topic: each message becomes a row for each subscription whose filter it passes."""

    def __init__(self, pool: Pool, name: str, encode: Callable[[M], Encoded]) -> None:
        self._pool = pool
        self._encode = encode
        self._subscriptions = subscriptions_to(name)

    def publish(self, messages: Sequence[M]) -> Iterator[list[M]]:
        """Publish in few statements; yield after each what is committed. Raises ``PublishError``."""
        for batch in encoded_batches(messages, self._encode):
            self._insert([encoded for _, encoded in batch])
            yield [message for message, _ in batch]

    def check(self) -> None:
        """Raises ``PublishError`` when Postgres cannot be reached."""
        with _errors(PublishError), self._pool.connection() as connection:
            connection.execute("select")

    def close(self) -> None:
        """The pool belongs to its owner."""

    def _insert(self, batch: Sequence[Encoded]) -> None:
        rows = [
            (subscription.name, data, msgspec.json.encode(attributes).decode())
            for data, attributes in batch
            for subscription in self._subscriptions
            if subscription.gets(attributes)
        ]
        if not rows:
            return
        names, bodies, attributes = zip(*rows, strict=True)
        with _errors(PublishError), autocommit(self._pool) as connection:
            connection.execute(
                """
                with published as (
                    insert into transport.messages (subscription, data, attributes)
                    select * from unnest(%s::text[], %b::bytea[], %s::jsonb[])
                    returning subscription
                )
                select pg_notify(%s, subscription) from (select distinct subscription from published) as woken
                """,
                [list(names), list(bodies), list(attributes), CHANNEL],
            )


class PostgresQueue:
    """One subscription (``transport.port.Queue``). The mark of a taken message is its row's id and its attempt.

    No statement waits until it is on disk (``_RELAXED``): if Postgres dies within the next moment, a message that was
    taken or done comes again, as it does when a worker dies.
    """

    def __init__(self, pool: Pool, subscription: Subscription, woken: threading.Event) -> None:
        self._pool = pool
        self._name = subscription.name
        self._deadline_seconds = subscription.ack_deadline_seconds
        letters = subscription.dead_letters
        self._dead = [each.name for each in subscriptions_to(letters.topic)] if letters is not None else []
        self._woken = woken
        self._interrupted = False

    def take(self, limit: int, wait_seconds: float) -> list[Taken]:
        self._woken.clear()
        if taken := self._take(limit):
            return taken
        seconds = min(wait_seconds, self._seconds_until_next(wait_seconds))
        if not self._interrupted:
            self._woken.wait(seconds)
        self._interrupted = False
        return []

    def wake(self) -> None:
        self._interrupted = True  # also for a take that has not begun to wait yet
        self._woken.set()

    def done(self, taken: Sequence[Taken]) -> None:
        self._execute(
            f"delete from transport.messages using {_RELAXED} where message_id = any(%s)",
            [[each.mark.message_id for each in taken]],
        )

    def again(self, taken: Taken, after_seconds: float) -> None:
        self._execute(
            f"""
            update transport.messages set visible_at = clock_timestamp() + make_interval(secs => %s) from {_RELAXED}
             where message_id = %s and attempts = %s
            """,
            [after_seconds, taken.mark.message_id, taken.mark.attempts],
        )
        self._woken.set()  # a take that waits knows only the deadline of this message, which is later

    def bury(self, taken: Taken) -> None:
        """Insert a copy into each subscription to the dead letters, and delete the message."""
        self._execute(
            """
            with dead as (
                delete from transport.messages where message_id = %s and attempts = %s
                returning data, attributes, attempts
            ), buried as (
                insert into transport.messages (subscription, data, attributes, dead_after)
                select subscription, data, attributes, attempts from dead, unnest(%s::text[]) as subscription
                returning subscription
            )
            select pg_notify(%s, subscription) from buried
            """,
            [taken.mark.message_id, taken.mark.attempts, self._dead, CHANNEL],
        )

    def close(self) -> None:
        """The pool and the listener belong to their owner."""

    def _take(self, limit: int) -> list[Taken]:
        with _errors(TransportError), autocommit(self._pool) as connection:
            rows = connection.execute(
                f"""
                with due as materialized (
                    select message_id from {_RELAXED}, transport.messages
                     where subscription = %s and visible_at <= clock_timestamp()
                     order by visible_at limit %s for update of messages skip locked
                )
                update transport.messages m
                   set attempts = m.attempts + 1, visible_at = clock_timestamp() + make_interval(secs => %s)
                  from due where m.message_id = due.message_id
                returning m.message_id, m.data, m.attributes::text, m.attempts, m.dead_after
                """,
                [self._name, limit, self._deadline_seconds],
                binary=True,
            ).fetchall()
        return [self._taken(row) for row in rows]

    def _taken(self, row: Mapping[str, Any]) -> Taken:
        received = Received(
            data=bytes(row["data"]),
            attributes=_attributes.decode(row["attributes"]),
            attempt=row["attempts"],
            id=str(row["message_id"]),
            subscription=self._name,
            dead_after=row["dead_after"],
        )
        return Taken(received, _Mark(row["message_id"], row["attempts"]))

    def _seconds_until_next(self, longest: float) -> float:
        with _errors(TransportError), autocommit(self._pool) as connection:
            row = connection.execute(
                """
                select extract(epoch from min(visible_at) - clock_timestamp())::float8 as seconds
                  from transport.messages where subscription = %s
                """,
                [self._name],
            ).fetchone()
        seconds: float | None = row["seconds"] if row else None
        return longest if seconds is None else max(0.0, seconds)

    def _execute(self, statement: str, parameters: Sequence[Any]) -> None:
        with _errors(TransportError), autocommit(self._pool) as connection:
            connection.execute(statement, parameters)


class _Mark(msgspec.Struct, frozen=True):
    message_id: int
    attempts: int


class PostgresTransport:
    """The transport over the pool of the installation's Postgres, whose address is ``database_url``."""

    def __init__(self, pool: Pool, database_url: str) -> None:
        self._pool = pool
        self._wakeups = Wakeups(database_url)

    def topic(self, name: str, encode: Callable[[M], Encoded]) -> PostgresTopic[M]:
        return PostgresTopic(self._pool, name, encode)

    def queue(self, subscription: Subscription) -> PostgresQueue:
        return PostgresQueue(self._pool, subscription, self._wakeups.of(subscription.name))

    def epoch(self) -> None:
        """None: the messages are rows of the same database as the deliveries, and are lost only with them."""

    def close(self) -> None:
        self._wakeups.close()


def connect(_environ: Mapping[str, str], pool: Pool) -> PostgresTransport:
    """The transport. It needs no variable of its own."""
    return PostgresTransport(pool, address_of(pool))


@contextmanager
def _errors(kind: type[TransportError]) -> Iterator[None]:
    """Turn the errors of Postgres into ``kind``."""
    try:
        yield
    except InsufficientPrivilege as error:
        refused = PublishRefused if kind is PublishError else kind
        raise refused(type(error).__name__) from error
    except psycopg.Error as error:
        raise kind(type(error).__name__) from error
