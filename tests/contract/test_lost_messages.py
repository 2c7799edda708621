"""What the transport has lost is published again: the epoch in Postgres, and a real Redis that loses its data."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from psycopg.rows import DictRow
from redis import Redis

from local.processes import free_port
from local.redis_server import READY_SECONDS, RedisServer
from publisher_api.connections import Connections, connect
from publisher_api.outbox.epochs import make_lost_due
from publisher_api.outbox.sweeper import sweep
from publisher_api.settings import Settings
from shared.envelope import VERSION, Command
from shared.profile import Profile
from shared.topology import TOPOLOGY
from tests.contract.transports import quick
from tests.publisher.sweeping import accept_pending
from transport.port import Epoch, TransportError


@dataclass
class Outbox:
    """A publisher's connections, and the epoch that its transport reports."""

    settings: Settings
    connections: Connections
    epoch: Epoch | None = field(default_factory=lambda: Epoch("data", "process"))

    def accept(self) -> str:
        return accept_pending(self.settings, channels=["sms"], to={"sms": "+15005550006"})

    def sweep(self) -> int:
        to = self.connections
        return sweep(to.pool, to.topic, to.cache, to.shares, lambda: datetime.now(UTC))

    def look(self) -> None:
        def read() -> Epoch | None:
            if self.epoch is None:
                raise TransportError("away")
            return self.epoch

        make_lost_due(self.connections.pool, read, lambda: datetime.now(UTC))

    def wait_for_marks(self) -> None:
        """What ``MARKED_WITHIN`` does in a quarter of a minute."""
        self.sql("update transport_epoch set lost_until = now()")

    def published_again(self) -> int:
        self.look()
        assert self.sweep() == 0, "marks of messages that are lost may not be committed yet"
        self.wait_for_marks()
        self.look()
        return self.sweep()

    def sql(self, statement: str, *parameters: object) -> list[DictRow]:
        with self.connections.pool.connection() as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description is not None else []


@pytest.fixture
def outbox(database_url: str) -> Iterator[Outbox]:
    """An outbox that has published three deliveries, and knows the epoch."""
    settings = Settings(database_url=database_url, profile=Profile.POSTGRES)
    with closing(connect(settings, {"DATABASE_URL": database_url}, 2)) as connections:
        connections.pool.open()
        outbox = Outbox(settings, connections)
        outbox.look()
        outbox.wait_for_marks()
        outbox.look()
        for _ in range(3):
            outbox.accept()
        assert outbox.sweep() == 3
        yield outbox


def test_nothing_is_published_again_while_the_epoch_stays(outbox: Outbox) -> None:
    assert outbox.published_again() == 0


def test_everything_queued_is_published_again_when_the_data_are_lost(outbox: Outbox) -> None:
    outbox.sql("update deliveries set updated_at = now() - interval '1 day'")
    outbox.epoch = Epoch("other", "process")
    assert outbox.published_again() == 3
    assert outbox.published_again() == 0, "a loss is recovered once"
    assert {row["status"] for row in outbox.sql("select status from deliveries")} == {"queued"}


def test_what_was_published_lately_is_published_again_when_the_process_is_another(outbox: Outbox) -> None:
    (old, *_) = outbox.sql("select delivery_id from deliveries")
    outbox.sql(
        "update deliveries set updated_at = now() - interval '5 minutes' where delivery_id = %s", old["delivery_id"]
    )
    outbox.epoch = Epoch("data", "other")
    assert outbox.published_again() == 2


def test_a_loss_is_still_recovered_after_the_publisher_restarted(outbox: Outbox) -> None:
    outbox.epoch = Epoch("other", "process")
    outbox.look()
    again = Outbox(outbox.settings, outbox.connections, outbox.epoch)
    assert again.published_again() == 3


def test_a_loss_in_parts_is_recovered_as_a_whole(outbox: Outbox) -> None:
    outbox.sql("update deliveries set updated_at = now() - interval '1 day'")
    outbox.epoch = Epoch("other", "process")
    outbox.look()
    outbox.epoch = Epoch("other", "another process")
    assert outbox.published_again() == 3


def test_the_first_epoch_publishes_again_what_another_transport_had(outbox: Outbox) -> None:
    outbox.sql("delete from transport_epoch")
    assert outbox.published_again() == 3


def test_while_the_transport_is_away_nothing_is_lost(outbox: Outbox) -> None:
    outbox.epoch = None
    assert outbox.published_again() == 0


def test_what_has_its_outcome_is_not_published_again(outbox: Outbox) -> None:
    (sent, *_) = outbox.sql("select delivery_id from deliveries")
    outbox.sql("update deliveries set status = 'sent' where delivery_id = %s", sent["delivery_id"])
    outbox.epoch = Epoch("other", "process")
    assert outbox.published_again() == 2


def test_a_delivery_that_was_published_as_often_as_we_try_is_left_alone(outbox: Outbox) -> None:
    outbox.sql("update deliveries set unreported = 3")
    outbox.epoch = Epoch("other", "process")
    assert outbox.published_again() == 0


def test_commands_that_were_published_once_are_published_again_when_the_data_are_lost(outbox: Outbox) -> None:
    command = Command(v=VERSION, command="read_all", user_id="ada", at=datetime.now(UTC))
    for published, wait in ((1, "5 hours"), (2, "1 day")):
        outbox.sql(
            "insert into command_repeats (command_id, body, published, due_at)"
            " values (gen_random_uuid(), %s, %s, now() + %s::interval)",
            msgspec.json.encode(command).decode(),
            published,
            wait,
        )
    outbox.epoch = Epoch("other", "process")
    outbox.published_again()
    # The sweep has returned the first to the outbox and published it, so now both wait for their second repetition.
    assert [row["published"] for row in outbox.sql("select published from command_repeats")] == [2, 2]


def test_a_redis_that_lost_its_data_gets_the_deliveries_again(database_url: str, tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "data", tmp_path / "redis.log", free_port())
    child = server.start()
    try:
        child.wait_ready(server.ready, READY_SECONDS)
        settings = Settings(database_url=database_url, profile=Profile.REDIS)
        environ = {"DATABASE_URL": database_url, "REDIS_URL": server.url}
        with closing(connect(settings, environ, 2)) as connections:
            connections.pool.open()
            outbox = Outbox(settings, connections, connections.epoch())
            outbox.look()
            outbox.wait_for_marks()
            outbox.look()
            outbox.accept()
            assert outbox.sweep() == 1
            with closing(Redis.from_url(server.url)) as client:
                client.flushall()
            outbox.epoch = connections.epoch()
            assert outbox.published_again() == 1
            assert connections.transport is not None
            (taken,) = connections.transport.queue(quick(TOPOLOGY["sms"].subscription)).take(10, 1.0)
            assert taken.received.attempt == 1
    finally:
        child.stop()
