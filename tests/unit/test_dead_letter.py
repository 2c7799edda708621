from functools import partial

import pytest

from functions.dead_letter.handler import handle
from functions.runtime.lazy import Lazy
from functions.runtime.ledger import Finished, Unfinished
from functions.runtime.push import respond
from shared.attributes import attributes_of
from shared.envelope import Command, Message
from shared.errors import Retryable
from shared.outcomes import Outcome
from tests.factories import NOON, make_delivery, make_outcome, make_push
from tests.fakes import Clock, MemoryOutcomes

DELIVERY = make_delivery(round=2)
ATTRIBUTES = attributes_of(DELIVERY) | {"CloudPubSubDeadLetterSourceDeliveryCount": "60"}
DEAD = Outcome(
    notification_id=DELIVERY.notification_id,
    delivery_id=DELIVERY.delivery_id,
    round=2,
    result="dead",
    at=NOON,
    attempt=60,
    reason="attempts_used_up",
)


def give_up_on(
    message: Message | bytes,
    attributes: dict[str, str],
    outcomes: MemoryOutcomes,
    known: dict[str, Finished | Unfinished] | None = None,
) -> int:
    def look_up(key: str) -> Finished | Unfinished:
        return (known or {}).get(key, Unfinished(uncertain=False))

    handler = partial(handle, look_up, outcomes, Clock())
    return respond(make_push(message, None, attributes), Lazy(lambda: handler))[1]


def test_a_delivery_whose_attempts_are_used_up_is_dead() -> None:
    outcomes = MemoryOutcomes()
    assert give_up_on(DELIVERY, ATTRIBUTES, outcomes) == 204
    assert outcomes.published == [DEAD]


def test_a_body_that_cannot_be_read_is_known_by_its_attributes() -> None:
    outcomes = MemoryOutcomes()
    assert give_up_on(b'{"v": 99}', ATTRIBUTES, outcomes) == 204
    assert [(each.delivery_id, each.round, each.reason) for each in outcomes.published] == [
        (DELIVERY.delivery_id, 2, "undecodable")
    ]


@pytest.mark.parametrize("message", [b"{", Command(v=1, command="read_all", at=NOON, user_id="ada")])
def test_what_belongs_to_no_delivery_is_logged_and_acknowledged(
    message: Message | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = MemoryOutcomes()
    assert give_up_on(message, {"channel": "inapp"}, outcomes) == 204
    assert outcomes.published == []
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_delivery_that_got_through_after_all_is_reported_as_it_ended() -> None:
    outcomes = MemoryOutcomes()
    ended = make_outcome(delivery_id=DELIVERY.delivery_id)
    assert give_up_on(DELIVERY, ATTRIBUTES, outcomes, {DELIVERY.key: Finished(ended)}) == 204
    assert outcomes.published == [ended]


def test_a_death_after_which_the_person_may_have_the_message_says_so() -> None:
    outcomes = MemoryOutcomes()
    assert give_up_on(DELIVERY, ATTRIBUTES, outcomes, {DELIVERY.key: Unfinished(uncertain=True)}) == 204
    assert [(each.result, each.possible_duplicate) for each in outcomes.published] == [("dead", True)]


def test_a_death_that_cannot_be_reported_is_tried_again() -> None:
    outcomes = MemoryOutcomes()
    outcomes.error = Retryable("outcomes_unavailable")
    assert give_up_on(DELIVERY, ATTRIBUTES, outcomes) == 503
