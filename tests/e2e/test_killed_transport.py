"""The transport's server is killed while it carries messages: every delivery arrives, and duplicates are reported.

Postgres may forget which messages were taken or done lately. Valkey may also forget the messages of the last second.
RabbitMQ forgets nothing that it has confirmed. The Pub/Sub emulator forgets everything.
"""

import os
from contextlib import closing

import pytest
from redis import Redis

from shared.outcomes import OPEN
from shared.topology import subscriptions
from tests.e2e.backlog import Backlog
from tests.e2e.internals import every_profile, redis_only
from tests.e2e.stack_driver import StackDriver
from transport.redis_layout import shards_of

pytestmark = pytest.mark.e2e
DELIVERIES = 250
LOST = 20


@every_profile
def test_killed_transport_server_loses_no_delivery(driver: StackDriver) -> None:
    backlog = Backlog.accepted(driver, DELIVERIES)
    backlog.wait_until_sent(more_than=DELIVERIES // 10)
    assert OPEN & set(backlog.statuses()), "nothing was under way"

    driver.kill_server(driver.internals.transport_server)

    duplicates = backlog.wait_until_all_arrived()
    assert duplicates == 0 or driver.internals.repeats_after_postgres_was_away


@redis_only
def test_messages_that_valkey_lost_with_its_last_second_are_published_again(driver: StackDriver) -> None:
    """A killed Valkey rarely loses what a machine without power does: all that was written since the last fsync."""
    server = driver.stack.config.redis_server
    with driver.frozen("worker"):
        (written,) = server.data.glob("appendonlydir/*.incr.aof")
        kept = written.stat().st_size
        before = messages_in(server.url)  # commands that the sweeper sent for earlier tests
        backlog = Backlog.accepted(driver, LOST)
        backlog.wait_until_queued()
        driver.stack.kill("redis")
        os.truncate(written, kept)
        driver.stack.restart("redis")
        assert messages_in(server.url) <= before, "nothing was lost"

    assert backlog.wait_until_all_arrived() == 0


def messages_in(url: str) -> int:
    """How many messages the streams of all subscriptions hold."""
    with closing(Redis.from_url(url)) as client:
        streams = [shard.messages for each in subscriptions() for shard in shards_of(each)]
        return sum(client.xlen(stream) for stream in streams)
