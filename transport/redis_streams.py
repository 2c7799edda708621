"""Redis Streams as a transport: a stream for each shard of each subscription, with one group of workers.

A message that was taken stays in the stream, and the group notes since when. What is done is deleted. What must wait is
kept aside until it is due, and any worker then moves it back. What a dead worker held is claimed after the deadline.
``transport.redis_layout`` has the keys and the scripts.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Generic, NamedTuple

from redis import Redis
from redis.exceptions import ResponseError

from postgres.pool import Pool
from shared.topology import Subscription, subscriptions_to
from transport import redis_layout as layout
from transport.batches import encoded_batches
from transport.port import Encoded, Epoch, M, PublishError, Received, Taken, TransportError
from transport.redis_layout import CONSUMER, GROUP, Shard
from transport.redis_server import RedisServer, connect_server

_TIDY_SECONDS = 1.0
_MOST_RETURNED = 500
# With several shards, a worker waits at one of them, and looks at the others in between.
_WAIT_AT_A_SHARD_SECONDS = 0.05
_BEGINNING = "0-0"


class RedisTopic(Generic[M]):
    """One topic: each message becomes an entry for each of its readers whose filter it passes."""

    def __init__(self, server: RedisServer, readers: Sequence[Subscription], encode: Callable[[M], Encoded]) -> None:
        self._server = server
        self._readers = readers
        self._encode = encode

    def publish(self, messages: Sequence[M]) -> Iterator[list[M]]:
        """Publish in few round trips; yield after each what Redis has stored. Raises ``PublishError``."""
        for batch in encoded_batches(messages, self._encode):
            entries = [
                (layout.shard_for(subscription, encoded.attributes), layout.fields_of(encoded))
                for _, encoded in batch
                for subscription in self._readers
                if subscription.gets(encoded.attributes)
            ]
            with self._server.connected(PublishError) as client:
                self._server.add(client, entries)
            yield [message for message, _ in batch]

    def check(self) -> None:
        """Raises ``PublishError`` when Redis cannot be reached."""
        with self._server.connected(PublishError) as client:
            client.ping()

    def close(self) -> None:
        """The connections belong to the transport."""


class _Mark(NamedTuple):
    """An entry that was taken. ``deliveries`` is the group's count, which tells this taking from a later one."""

    shard: Shard
    entry: str
    deliveries: int


class RedisQueue:
    """One subscription (``transport.port.Queue``)."""

    def __init__(self, server: RedisServer, subscription: Subscription) -> None:
        self._server = server
        self._name = subscription.name
        self._deadline_ms = subscription.ack_deadline_seconds * 1000
        self._shards = deque(layout.shards_of(subscription))
        letters = subscription.dead_letters
        self._dead = subscriptions_to(letters.topic) if letters is not None else []
        self._tidied_until = dict.fromkeys(self._shards, _BEGINNING)
        self._tidy_at = 0.0
        self._woken = threading.Event()

    def take(self, limit: int, wait_seconds: float) -> list[Taken]:
        until = time.monotonic() + wait_seconds
        with self._server.connected(TransportError) as client:
            while not self._woken.is_set():
                try:
                    taken = self._tidy(client, limit) or self._read(client, limit, until)
                except ResponseError as error:
                    if "NOGROUP" not in str(error):
                        raise
                    self._create_groups(client)
                    continue
                if taken or time.monotonic() >= until:
                    return taken
        self._woken.clear()
        return []

    def wake(self) -> None:
        """A ``take`` that waits returns within a second."""
        self._woken.set()

    def done(self, taken: Sequence[Taken]) -> None:
        marks: list[_Mark] = sorted(each.mark for each in taken)
        with self._server.connected(TransportError) as client:
            for shard, of_shard in groupby(marks, key=lambda mark: mark.shard):
                self._delete(client, shard, [mark.entry for mark in of_shard])

    def again(self, taken: Taken, after_seconds: float) -> None:
        mark: _Mark = taken.mark
        arguments = [GROUP, mark.entry, mark.deliveries, taken.received.attempt, round(after_seconds * 1000)]
        with self._server.connected(TransportError) as client:
            client.eval(layout.AGAIN, 3, *mark.shard, *map(str, arguments))

    def bury(self, taken: Taken) -> None:
        """Add the message to each subscription to the dead letters, then delete it: at worst it is buried twice.

        The keys have different hash tags, so no transaction can hold both steps.
        """
        mark: _Mark = taken.mark
        received: Received = taken.received
        message = Encoded(received.data, received.attributes)
        fields = layout.fields_of(message, dead_after=received.attempt)
        with self._server.connected(TransportError) as client:
            pending = client.xpending_range(mark.shard.messages, GROUP, mark.entry, mark.entry, 1)
            if [each["times_delivered"] for each in pending] != [mark.deliveries]:
                return  # settled, or delivered again
            self._server.add(client, [(layout.shard_for(each, received.attributes), fields) for each in self._dead])
            self._delete(client, mark.shard, [mark.entry])

    def close(self) -> None:
        """The connections belong to the transport."""

    def _tidy(self, client: Redis, limit: int) -> list[Taken]:
        """About once a second, for the next shard: let due messages return, and claim those of dead workers."""
        if (now := time.monotonic()) < self._tidy_at:
            return []
        shard = self._shards[0]
        claim = [GROUP, CONSUMER, str(self._deadline_ms), self._tidied_until[shard], str(limit)]
        with client.pipeline(transaction=False) as pipeline:
            pipeline.eval(layout.RETURN_DUE, 3, *shard, str(_MOST_RETURNED))
            pipeline.eval(layout.CLAIM_EXPIRED, 1, shard.messages, *claim)
            ms_until_due, (self._tidied_until[shard], entries) = pipeline.execute()
        pause = _TIDY_SECONDS if ms_until_due < 0 else min(_TIDY_SECONDS, ms_until_due / 1000)
        self._tidy_at = now + (0.0 if len(entries) == limit else pause / len(self._shards))
        self._shards.rotate(-1)
        return [
            self._taken(shard, entry, dict(zip(fields[::2], fields[1::2], strict=True)), deliveries)
            for entry, fields, deliveries in entries
        ]

    def _read(self, client: Redis, limit: int, until: float) -> list[Taken]:
        """New messages: waits for the first until ``until``, until it is time to tidy, or shorter."""
        wait = min(until, self._tidy_at) - time.monotonic()
        if len(self._shards) > 1:
            shards = list(self._shards)[:limit]
            if taken := self._read_each(client, shards, limit // len(shards), None):
                return taken
            wait = min(wait, _WAIT_AT_A_SHARD_SECONDS)
            self._shards.rotate(-1)
        wait_ms = round(wait * 1000)
        return self._read_each(client, [self._shards[0]], limit, wait_ms if wait_ms > 0 else None)

    def _read_each(self, client: Redis, shards: Sequence[Shard], count: int, wait_ms: int | None) -> list[Taken]:
        with client.pipeline(transaction=False) as pipeline:
            for shard in shards:
                pipeline.xreadgroup(GROUP, CONSUMER, {shard.messages: ">"}, count=count, block=wait_ms)
            found = pipeline.execute()
        return [
            self._taken(shard, entry, fields, 1)
            for shard, streams in zip(shards, found, strict=True)
            for _, entries in streams
            for entry, fields in entries
        ]

    def _taken(self, shard: Shard, entry: bytes, fields: Mapping[bytes, bytes], deliveries: int) -> Taken:
        received = layout.received(entry, fields, deliveries, self._name)
        return Taken(received, _Mark(shard, received.id, deliveries))

    def _delete(self, client: Redis, shard: Shard, entries: Sequence[str]) -> None:
        with client.pipeline(transaction=True) as transaction:
            transaction.xack(shard.messages, GROUP, *entries)
            transaction.xdel(shard.messages, *entries)
            transaction.execute()

    def _create_groups(self, client: Redis) -> None:
        for shard in self._shards:
            try:
                client.xgroup_create(shard.messages, GROUP, _BEGINNING, mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):  # another worker created it
                    raise


class RedisTransport:
    """The transport over one server."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    def topic(self, name: str, encode: Callable[[M], Encoded]) -> RedisTopic[M]:
        return RedisTopic(self._server, subscriptions_to(name), encode)

    def queue(self, subscription: Subscription) -> RedisQueue:
        return RedisQueue(self._server, subscription)

    def epoch(self) -> Epoch:
        return self._server.epoch()

    def close(self) -> None:
        self._server.close()


def connect(environ: Mapping[str, str], pool: Pool) -> RedisTransport:  # noqa: ARG001 - Redis needs no Postgres
    """The transport. It needs REDIS_URL. Raises ``ConfigurationError``."""
    return RedisTransport(connect_server(environ))
