"""A delivery whose receiver fails waits in the outbox: its message is done, and delays no other."""

from datetime import timedelta

import pytest

from functions.runtime.deferral import Deferral
from functions.runtime.provider import Rejected, Sent
from shared.envelope import Delivery
from shared.errors import CredentialsRefused, DeliveryError, Retryable, StillSending
from shared.outcomes import Outcome
from shared.reasons import Reason
from tests.factories import NOON, make_delivery
from tests.fakes import FailingLedger, ScriptedProvider
from tests.unit.email_function import LEASE, SENT, EmailFunction
from transport.port import PublishError, PublishRefused

BUSY = Retryable(Reason.RECEIVER_BUSY, provider="http")
NO_ANSWER = Retryable(Reason.TIMEOUT, ambiguous=True)
SECONDS = timedelta(seconds=1)


def waits(random: float = 0.0, attempts: int = 100) -> Deferral:
    return Deferral(attempts, 10 * SECONDS, 600 * SECONDS, LEASE, lambda: random)


def deferring(*answers: Sent | Rejected | Exception, attempts: int = 100) -> EmailFunction:
    return EmailFunction(ScriptedProvider(answers), deferral=waits(attempts=attempts))


def run(function: EmailFunction, delivery: Delivery, attempts: int) -> list[Outcome]:
    """Receive the delivery as the publisher publishes it after each deferral, and return the outcomes."""
    for deferrals in range(attempts):
        again = make_delivery(delivery_id=delivery.delivery_id, expires_at=delivery.expires_at, deferrals=deferrals)
        assert function.receive(again) is None, "its message is done"
        last = function.outcomes.published[-1]
        if last.until is None:
            break
        function.clock.at = last.until
    return function.outcomes.published


def test_failing_receiver_is_tried_again_after_twice_as_long_each_time() -> None:
    outcomes = run(deferring(BUSY), make_delivery(), 9)
    assert {(each.result, each.reason, each.provider) for each in outcomes} == {("deferred", "receiver_busy", "http")}
    assert [each.attempt for each in outcomes] == list(range(1, 10))
    assert [each.deferrals for each in outcomes] == list(range(9))
    waited = [(each.until - each.at).total_seconds() for each in outcomes if each.until]
    assert waited == [10, 20, 40, 80, 160, 320, 600, 600, 600]


def test_deliveries_that_were_refused_together_are_tried_again_spread_over_a_fifth_of_the_wait() -> None:
    assert waits(0).until(BUSY, 0, 0, NOON) == NOON + 10 * SECONDS
    assert waits(1).until(BUSY, 0, 0, NOON) == NOON + 12 * SECONDS


def test_sent_after_deferrals() -> None:
    outcomes = run(deferring(BUSY, BUSY, SENT), make_delivery(), 5)
    assert [(each.result, each.attempt) for each in outcomes] == [("deferred", 1), ("deferred", 2), ("sent", 3)]
    assert not outcomes[-1].possible_duplicate


def test_last_attempt_that_fails_makes_the_delivery_dead() -> None:
    function = deferring(BUSY, BUSY, Retryable(Reason.UNREACHABLE, "ConnectError", provider="http"), attempts=3)
    outcomes = run(function, make_delivery(), 5)
    assert [each.result for each in outcomes] == ["deferred", "deferred", "dead"]
    assert (outcomes[-1].reason, outcomes[-1].detail) == ("attempts_used_up", "unreachable: ConnectError")
    assert not outcomes[-1].possible_duplicate


def test_attempt_that_may_have_arrived_waits_for_its_cooldown_and_marks_all_that_follows() -> None:
    function = deferring(NO_ANSWER, NO_ANSWER, BUSY, attempts=4)
    outcomes = run(function, make_delivery(), 4)
    waited = [(each.until - each.at).total_seconds() for each in outcomes if each.until]
    assert waited == [15, 30, 40], "the ledger's cooldown, then the longer wait of the channel type"
    assert [(each.result, each.possible_duplicate) for each in outcomes] == [
        ("deferred", True),
        ("deferred", True),
        ("deferred", True),
        ("dead", True),
    ]
    assert len(function.provider.got) == 4, "no attempt was spent on a cooldown"


def test_send_that_still_runs_is_tried_again_when_its_lease_is_over() -> None:
    function = deferring(StillSending(Reason.TIMEOUT), SENT)
    outcomes = run(function, make_delivery(), 2)
    assert outcomes[0].until == NOON + LEASE
    assert [(each.result, each.possible_duplicate) for each in outcomes] == [("deferred", True), ("sent", True)]


def test_copy_of_a_message_that_meets_a_cooldown_is_deferred_until_its_end() -> None:
    function = deferring(NO_ANSWER)
    delivery = make_delivery()
    function.receive(delivery)
    function.receive(delivery)
    assert [(each.reason, each.until) for each in function.outcomes.published] == [
        ("timeout", NOON + 15 * SECONDS),
        ("unconfirmed", NOON + 15 * SECONDS),
    ]
    assert len(function.provider.got) == 1


def test_delivery_is_not_deferred_beyond_its_expiry_and_then_expires() -> None:
    expiring = make_delivery(expires_at=NOON + 25 * SECONDS)
    outcomes = run(deferring(BUSY), expiring, 5)
    assert [(each.result, each.until) for each in outcomes] == [
        ("deferred", NOON + 10 * SECONDS),
        ("deferred", NOON + 25 * SECONDS),
        ("expired", None),
    ]


@pytest.mark.parametrize(
    ("error", "raised"),
    [(PublishError("ServiceUnavailable"), Retryable), (PublishRefused("PermissionDenied"), CredentialsRefused)],
    ids=["transport unavailable", "credentials refused"],
)
def test_deferral_that_cannot_be_reported_leaves_the_message_to_the_transport(
    error: PublishError, raised: type[DeliveryError]
) -> None:
    function = deferring(BUSY)
    function.outcomes.transport.error = error
    assert function.receive(make_delivery()) is raised


def test_fault_of_our_own_is_left_to_the_transport() -> None:
    function = deferring(CredentialsRefused(Reason.CREDENTIALS_REFUSED))
    assert function.receive(make_delivery()) is CredentialsRefused
    assert function.results == [("attempt", "credentials_refused")]


def test_claim_that_cannot_be_released_does_not_prevent_the_deferral() -> None:
    ledger = FailingLedger(Retryable(Reason.LEDGER_UNAVAILABLE))
    function = EmailFunction(ScriptedProvider([BUSY]), ledger=ledger, deferral=waits())
    assert function.receive(make_delivery()) is None
    assert function.results == [("deferred", "receiver_busy")]
