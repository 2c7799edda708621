from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import pytest

from functions.runtime.deliver import Parts
from functions.runtime.lazy import Lazy
from functions.runtime.provider import Rejected, Sent
from functions.runtime.push import respond
from functions.runtime.switchboard import Switchboard, Table
from functions.runtime.wiring import handle_delivery
from shared.envelope import Command, Delivery, encode
from shared.errors import CredentialsRefused, Retryable, Undecodable
from shared.outcomes import Outcome
from tests.factories import NOON, make_delivery, make_push
from tests.fakes import Clock, FailingLedger, MemoryLedger, MemoryOutcomes, ScriptedProvider

LEASE = timedelta(seconds=90)
SENT = Sent("scripted", "m1")


@dataclass
class World:
    """A function with everything around it in memory."""

    provider: ScriptedProvider
    ledger: MemoryLedger = field(default_factory=lambda: MemoryLedger(LEASE))
    outcomes: MemoryOutcomes = field(default_factory=MemoryOutcomes)
    switches: dict[str, bool] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)

    def push(self, message: Delivery | Command | bytes, attempt: int | None = 1) -> int:
        switchboard = Switchboard(lambda: Table(1, self.switches), lambda: 0.0)
        parts = Parts(self.provider, self.ledger, switchboard, self.outcomes, self.clock)
        _, status = respond(make_push(message, attempt), Lazy(lambda: partial(handle_delivery, "email", parts)))
        return status

    @property
    def results(self) -> list[tuple[str, str | None]]:
        return [(outcome.result, outcome.reason) for outcome in self.outcomes.published]


def answering(*answers: Sent | Rejected | Exception) -> World:
    return World(ScriptedProvider(answers))


def held(delivery: Delivery) -> World:
    world = answering(SENT)
    world.ledger.claim(delivery.key, NOON)
    return world


def switched_off(slug: str) -> World:
    return World(ScriptedProvider([SENT]), switches={slug: False})


DELIVERY = make_delivery()


@pytest.mark.parametrize(
    ("world", "message", "status", "results"),
    [
        pytest.param(answering(SENT), DELIVERY, 204, [("sent", None)], id="accepted"),
        pytest.param(answering(Rejected("p", "bad")), DELIVERY, 204, [("failed", "bad")], id="refused for good"),
        pytest.param(
            answering(Rejected("p", "opted_out", suppress=True)),
            DELIVERY,
            204,
            [("suppressed", "opted_out")],
            id="the person said no",
        ),
        pytest.param(answering(SENT), make_delivery(expires_at=NOON), 204, [("expired", None)], id="too late"),
        pytest.param(switched_off("email"), DELIVERY, 204, [("suppressed", "channel_off")], id="channel off"),
        pytest.param(switched_off("email-marketing"), DELIVERY, 204, [("sent", None)], id="another channel off"),
        pytest.param(answering(Retryable("rate_limited")), DELIVERY, 503, [("attempt", "rate_limited")], id="later"),
        pytest.param(
            answering(Retryable("timeout", ambiguous=True)), DELIVERY, 503, [("attempt", "timeout")], id="no answer"
        ),
        pytest.param(held(DELIVERY), DELIVERY, 503, [("attempt", "claim_held")], id="another worker has it"),
        pytest.param(
            answering(CredentialsRefused("credentials_refused")),
            DELIVERY,
            500,
            [("attempt", "credentials_refused")],
            id="our credentials are refused",
        ),
        pytest.param(
            answering(Undecodable("no")), DELIVERY, 400, [("attempt", "undecodable")], id="content of another shape"
        ),
        pytest.param(answering(SENT), b"{", 400, [], id="no JSON"),
        pytest.param(answering(SENT), b'{"v": 99}', 400, [], id="unknown version"),
        pytest.param(answering(SENT), make_delivery("sms"), 400, [], id="another channel's message"),
        pytest.param(
            answering(SENT), Command(v=1, command="read_all", at=NOON, user_id="ada"), 400, [], id="a command"
        ),
    ],
)
def test_each_situation_has_its_outcome_and_its_status(
    world: World, message: Delivery | Command | bytes, status: int, results: Sequence[tuple[str, str | None]]
) -> None:
    assert world.push(message) == status
    assert world.results == results


def test_a_request_that_is_no_push_is_refused() -> None:
    assert respond(b"[]", Lazy(lambda: lambda _: None)) == ("", 400)


def test_a_bug_in_a_provider_is_not_swallowed() -> None:
    world = answering(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        world.push(DELIVERY)
    assert world.push(DELIVERY) == 503, "nobody knows what was sent, so the claim has to run out"
    assert world.results == [("attempt", "internal_error"), ("attempt", "claim_held")]


def test_an_outcome_says_which_attempt_when_and_by_whom() -> None:
    world = answering(SENT)
    world.push(DELIVERY, attempt=3)
    assert world.outcomes.published == [
        Outcome(
            notification_id=DELIVERY.notification_id,
            delivery_id=DELIVERY.delivery_id,
            round=1,
            result="sent",
            at=NOON,
            received_at=NOON,
            attempt=3,
            provider="scripted",
            provider_message_id="m1",
        )
    ]


def test_a_finished_delivery_is_reported_again_and_not_sent_again() -> None:
    world = answering(SENT)
    assert [world.push(DELIVERY), world.push(DELIVERY, attempt=2)] == [204, 204]
    assert len(world.provider.got) == 1
    assert world.outcomes.published[0] == world.outcomes.published[1]


def test_another_round_of_a_finished_delivery_is_sent() -> None:
    world = answering(SENT)
    world.push(DELIVERY)
    world.push(make_delivery(delivery_id=DELIVERY.delivery_id, round=2))
    assert [delivery.round for delivery in world.provider.got] == [1, 2]


def test_a_released_claim_is_tried_again_at_once() -> None:
    world = answering(Retryable("rate_limited"), SENT)
    assert [world.push(DELIVERY), world.push(DELIVERY, attempt=2)] == [503, 204]
    assert not world.outcomes.published[-1].possible_duplicate


def test_what_follows_an_ambiguous_attempt_is_a_possible_duplicate() -> None:
    world = answering(Retryable("timeout", ambiguous=True), Retryable("rate_limited"), SENT)
    assert world.push(DELIVERY) == 503
    world.clock.advance(seconds=15)
    assert [world.push(DELIVERY), world.push(DELIVERY)] == [503, 204]
    assert world.outcomes.published[-1].possible_duplicate


def test_a_provider_that_never_answers_is_asked_less_and_less_often() -> None:
    world = answering(Retryable("timeout", ambiguous=True))
    for _ in range(600):
        world.push(DELIVERY)
        world.clock.advance(seconds=1)
    assert len(world.provider.got) == 6, "after 0, 15, 45, 105, 225 and 465 seconds"
    assert ("attempt", "unconfirmed") in world.results


def test_what_expires_while_it_rests_is_not_tried_again() -> None:
    world = answering(Retryable("timeout", ambiguous=True))
    delivery = make_delivery(expires_at=NOON + timedelta(seconds=10))
    world.push(delivery)
    world.clock.advance(seconds=10)
    assert world.push(delivery) == 204
    assert [(outcome.result, outcome.possible_duplicate) for outcome in world.outcomes.published] == [
        ("attempt", False),
        ("expired", True),
    ]


def test_a_dead_lease_is_taken_over_and_reported_as_a_possible_duplicate() -> None:
    world = held(DELIVERY)
    world.clock.advance(seconds=LEASE.total_seconds())
    assert world.push(DELIVERY) == 204
    assert [(outcome.result, outcome.possible_duplicate) for outcome in world.outcomes.published] == [("sent", True)]


def test_an_expired_delivery_that_was_sent_is_reported_as_sent() -> None:
    world = answering(SENT)
    world.outcomes.error = Retryable("outcomes_unavailable")
    world.push(DELIVERY)
    world.outcomes.error = None
    world.clock.at = DELIVERY.expires_at
    assert world.push(DELIVERY) == 204
    assert world.results == [("sent", None)]


def test_an_outcome_that_could_not_be_published_is_published_at_the_next_delivery() -> None:
    world = answering(SENT)
    world.outcomes.error = Retryable("outcomes_unavailable")
    assert world.push(DELIVERY) == 503
    world.outcomes.error = None
    assert world.push(DELIVERY) == 204
    assert (world.results, len(world.provider.got)) == ([("sent", None)], 1)


def test_an_attempt_that_could_not_be_reported_is_repeated_all_the_same() -> None:
    world = answering(Retryable("rate_limited"))
    world.outcomes.error = Retryable("outcomes_unavailable")
    assert world.push(DELIVERY) == 503


def test_an_end_that_could_not_be_recorded_is_reported_and_not_sent_again() -> None:
    world = World(ScriptedProvider([SENT]), ledger=FailingLedger(Retryable("ledger_unavailable")))
    assert world.push(DELIVERY) == 204
    assert world.results == [("sent", None)]


def test_a_claim_that_could_not_be_released_does_not_hide_why_the_attempt_failed() -> None:
    provider = ScriptedProvider([Retryable("rate_limited")])
    world = World(provider, ledger=FailingLedger(Retryable("ledger_unavailable")))
    assert world.push(DELIVERY) == 503
    assert world.results == [("attempt", "rate_limited")]


def test_logs_hold_no_address_and_no_content(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    world = answering(Retryable("rate_limited"), SENT)
    world.push(DELIVERY)
    world.push(DELIVERY)
    world.push(encode(DELIVERY)[:-9])
    logged = " ".join(str(vars(record)) for record in caplog.records)
    assert DELIVERY.delivery_id in logged
    assert "ada@example.com" not in logged
    assert "You paid" not in logged
