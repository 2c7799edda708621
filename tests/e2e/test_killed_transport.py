"""The transport's server is killed while it carries messages: every delivery arrives, and duplicates are reported.

Postgres may forget which messages were taken or done lately. Valkey may also forget the messages of the last second.
RabbitMQ forgets nothing that it has confirmed. The Pub/Sub emulator forgets everything.
"""

import os

import pytest

from shared.outcomes import OPEN
from tests.e2e.backlog import Backlog
from tests.e2e.internals import every_profile, redis_only
from tests.e2e.stack_driver import StackDriver

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
        backlog = Backlog.accepted(driver, LOST)
        backlog.wait_until_queued()
        driver.stack.kill("redis")
        assert written.stat().st_size > kept, "nothing is lost"
        os.truncate(written, kept)
        driver.stack.restart("redis")

    assert backlog.wait_until_all_arrived() == 0
