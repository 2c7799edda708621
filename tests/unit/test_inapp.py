from datetime import timedelta
from functools import partial

import pytest

from functions.inapp.handler import handle
from functions.runtime.ports import Services
from functions.runtime.recording import record
from functions.runtime.switches import CachedSwitches, SwitchTable
from shared.envelope import Command, Message
from shared.errors import Retryable
from tests.factories import make_delivery, make_received
from tests.fakes import Clock, MemoryInbox, MemoryLedger, MemoryOutcomes, MemorySwitchStore
from transport.port import PublishError

DELIVERY = make_delivery("inapp")


class Function:
    """The inapp function with everything around it in memory."""

    def __init__(self) -> None:
        self.inbox = MemoryInbox()
        self.outcomes = MemoryOutcomes()
        self.clock = Clock()
        self.switches: dict[str, bool] = {}

    def receive(self, message: Message = DELIVERY) -> None:
        ledger = MemoryLedger(timedelta(seconds=60))
        services = Services(
            ledger=ledger,
            outcomes=self.outcomes,
            record=partial(record, ledger, self.outcomes),
            switches=CachedSwitches(lambda: SwitchTable(1, {"inapp": True} | self.switches), lambda: 0.0),
            switch_store=MemorySwitchStore(),
            inbox=self.inbox,
            now=self.clock,
        )
        handle(services, make_received(message))

    def arrive_without_a_report(self) -> None:
        self.outcomes.transport.error = PublishError("ServiceUnavailable")
        with pytest.raises(Retryable):
            self.receive()
        assert list(self.inbox.entries("ada")) == [DELIVERY.notification_id]
        self.outcomes.transport.error = None

    @property
    def results(self) -> list[tuple[str, str | None, str | None]]:
        return [(each.result, each.reason, each.provider) for each in self.outcomes.published]


@pytest.fixture
def function() -> Function:
    return Function()


def test_delivery_that_arrived_is_sent_although_it_expired_before_it_was_reported(function: Function) -> None:
    function.arrive_without_a_report()
    function.clock.at = DELIVERY.expires_at
    function.receive()
    assert function.results == [("sent", None, "inbox")]


def test_delivery_that_arrived_is_sent_although_the_channel_was_switched_off_before_it_was_reported(
    function: Function,
) -> None:
    function.arrive_without_a_report()
    function.switches = {"inapp": False}
    function.receive()
    assert function.results == [("sent", None, "inbox")]


def test_delivery_that_did_not_arrive_before_it_expired_is_expired(function: Function) -> None:
    function.clock.at = DELIVERY.expires_at
    function.receive()
    assert function.results == [("expired", None, None)]
    assert function.inbox.entries("ada") == {}


def test_an_erasing_is_reported_under_its_id(function: Function) -> None:
    function.receive(Command(v=1, command="erase", at=function.clock.at, user_id="ada", erasure_id="e1"))
    [report] = function.outcomes.published
    assert (report.result, report.delivery_id, report.until) == ("erased", "e1", function.clock.at)


def test_an_erasing_without_an_id_is_not_reported(function: Function) -> None:
    function.receive(Command(v=1, command="erase", at=function.clock.at, user_id="ada"))
    assert function.outcomes.published == []
