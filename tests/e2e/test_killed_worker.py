"""The worker is killed again and again while it drains a backlog: nothing is missing, and duplicates are reported."""

import pytest

from tests.e2e.backlog import Backlog
from tests.e2e.internals import CountsMessages, self_hosted_only
from tests.e2e.stack_driver import StackDriver
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.e2e
DELIVERIES = 500
KILLS = 3


@self_hosted_only
def test_worker_killed_three_times_loses_nothing_of_a_backlog(driver: StackDriver) -> None:
    with driver.frozen("worker"):
        backlog = Backlog.accepted(driver, DELIVERIES)
        backlog.wait_until_queued()

    for kill in range(KILLS):
        backlog.wait_until_sent(more_than=kill * DELIVERIES // (2 * KILLS))
        driver.kill_while_sending("email")

    assert backlog.wait_until_all_arrived() > 0, "no kill interrupted a delivery"
    internals = driver.internals
    assert isinstance(internals, CountsMessages)
    eventually(lambda: internals.messages_left() == 0, "every message to be settled")
