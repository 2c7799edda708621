from collections.abc import Mapping
from datetime import timedelta

import msgspec
import pytest

from functions.dead_letter.handler import handle
from functions.inapp.inbox import InboxProvider
from functions.runtime.ledger import Claimed
from shared.attributes import attributes_of
from shared.envelope import Command, Message
from shared.errors import Retryable
from shared.outcomes import Outcome
from shared.reasons import Reason
from tests.factories import NOON, make_delivery, make_outcome, make_received
from tests.fakes import Clock, MemoryInbox, MemoryLedger, MemoryOutcomes
from transport.port import PublishError

DELIVERY = make_delivery(round=2)
DEAD = Outcome(
    notification_id=DELIVERY.notification_id,
    delivery_id=DELIVERY.delivery_id,
    round=2,
    result="dead",
    at=NOON,
    attempt=60,
    reason=Reason.ATTEMPTS_USED_UP,
)


class Function:
    """The dead-letter function with everything around it in memory."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger(timedelta(seconds=90))
        self.outcomes = MemoryOutcomes()
        self.inbox = MemoryInbox()

    def receive(self, message: Message | bytes = DELIVERY, attributes: Mapping[str, str] | None = None) -> None:
        given = {} if attributes is None else {"attributes": attributes}
        received = make_received(message, None, dead_after=60, **given)
        handle(self.ledger, self.inbox, self.outcomes, Clock(), received)


@pytest.fixture
def function() -> Function:
    return Function()


def test_delivery_that_used_up_its_attempts_is_dead(function: Function) -> None:
    function.receive()
    assert function.outcomes.published == [DEAD]


def test_message_with_undecodable_body_is_identified_by_its_attributes(function: Function) -> None:
    function.receive(b'{"v": 99}', attributes_of(DELIVERY))
    assert [(each.delivery_id, each.round, each.reason) for each in function.outcomes.published] == [
        (DELIVERY.delivery_id, 2, "undecodable")
    ]


@pytest.mark.parametrize("message", [b"{", Command(v=1, command="read_all", at=NOON, user_id="ada")])
def test_message_that_belongs_to_no_delivery_is_logged_and_acknowledged(
    function: Function, message: Message | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    function.receive(message, {"channel": "inapp"})
    assert function.outcomes.published == []
    assert [(vars(each)["event"], each.levelname) for each in caplog.records] == [("message.without_delivery", "ERROR")]


def test_delivery_that_succeeded_after_all_is_reported_with_its_outcome(function: Function) -> None:
    outcome = make_outcome(delivery_id=DELIVERY.delivery_id)
    claim = function.ledger.claim(DELIVERY.key, NOON)
    assert isinstance(claim, Claimed)
    function.ledger.finish(claim, outcome)
    function.receive()
    assert function.outcomes.published == [outcome]


def test_inapp_delivery_that_arrived_is_reported_as_sent(function: Function) -> None:
    delivery = make_delivery("inapp")
    InboxProvider(function.inbox, Clock()).send(delivery)
    function.receive(delivery)
    assert [(each.result, each.reason, each.provider) for each in function.outcomes.published] == [
        ("sent", None, "inbox")
    ]


@pytest.mark.parametrize("user_id", ["ada", "eve/inbox/n1"])
def test_inapp_delivery_that_did_not_arrive_is_dead(function: Function, user_id: str) -> None:
    function.receive(make_delivery("inapp", recipient=user_id))
    assert [each.result for each in function.outcomes.published] == ["dead"]


def test_delivery_of_a_channel_type_that_this_release_does_not_know_is_dead(function: Function) -> None:
    function.receive(msgspec.structs.replace(DELIVERY, channel_type="fax"))
    assert function.outcomes.published == [DEAD]


def test_dead_delivery_with_an_unconfirmed_attempt_is_a_possible_duplicate(function: Function) -> None:
    function.ledger.claim(DELIVERY.key, NOON)
    function.receive()
    assert [(each.result, each.possible_duplicate) for each in function.outcomes.published] == [("dead", True)]


def test_dead_delivery_is_logged_as_an_error_with_its_event(
    function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    function.receive()
    assert [(vars(each)["event"], each.levelname) for each in caplog.records] == [("delivery.dead", "ERROR")]


def test_dead_delivery_that_cannot_be_reported_is_retryable(function: Function) -> None:
    function.outcomes.transport.error = PublishError("ServiceUnavailable")
    with pytest.raises(Retryable):
        function.receive()
