import logging
from collections.abc import Sequence
from datetime import timedelta

import pytest

from functions.runtime.provider import Rejected
from shared.envelope import Command, Delivery, encode
from shared.errors import CredentialsRefused, Retryable, StillSending, Undecodable
from shared.outcomes import Outcome
from shared.reasons import Reason
from tests.factories import NOON, make_delivery
from tests.fakes import FailingLedger, ScriptedProvider
from tests.unit.email_function import (
    LEASE,
    SENT,
    EmailFunction,
    Verdict,
    answering,
    claimed_by_other,
    switched_off,
)
from transport.port import PublishError

RATE_LIMITED = Retryable(Reason.RATE_LIMITED)
NO_ANSWER = Retryable(Reason.TIMEOUT, ambiguous=True)
LEDGER_UNAVAILABLE = Retryable(Reason.LEDGER_UNAVAILABLE)
UNAVAILABLE = PublishError("ServiceUnavailable")
DELIVERY = make_delivery()


@pytest.mark.parametrize(
    ("function", "message", "verdict", "results"),
    [
        pytest.param(answering(SENT), DELIVERY, None, [("sent", None)], id="accepted"),
        pytest.param(
            answering(Rejected("p", Reason.INVALID_ADDRESS)),
            DELIVERY,
            None,
            [("failed", "invalid_address")],
            id="rejected",
        ),
        pytest.param(
            answering(Rejected("p", Reason.OPTED_OUT, suppress=True)),
            DELIVERY,
            None,
            [("suppressed", "opted_out")],
            id="opted out",
        ),
        pytest.param(answering(SENT), make_delivery(expires_at=NOON), None, [("expired", None)], id="expired"),
        pytest.param(switched_off("email"), DELIVERY, None, [("suppressed", "channel_off")], id="channel off"),
        pytest.param(switched_off("email-marketing"), DELIVERY, None, [("sent", None)], id="another channel off"),
        pytest.param(answering(RATE_LIMITED), DELIVERY, Retryable, [("attempt", "rate_limited")], id="retryable"),
        pytest.param(answering(NO_ANSWER), DELIVERY, Retryable, [("attempt", "timeout")], id="ambiguous"),
        pytest.param(
            claimed_by_other(DELIVERY), DELIVERY, Retryable, [("attempt", "claim_held")], id="claimed by another worker"
        ),
        pytest.param(
            answering(CredentialsRefused(Reason.CREDENTIALS_REFUSED)),
            DELIVERY,
            CredentialsRefused,
            [("attempt", "credentials_refused")],
            id="credentials refused",
        ),
        pytest.param(
            answering(Undecodable("no")), DELIVERY, Undecodable, [("attempt", "undecodable")], id="undecodable content"
        ),
        pytest.param(answering(SENT), b"{", Undecodable, [], id="no JSON"),
        pytest.param(answering(SENT), b'{"v": 99}', Undecodable, [], id="unknown version"),
        pytest.param(answering(SENT), make_delivery("sms"), Undecodable, [], id="another channel type"),
        pytest.param(
            answering(SENT), Command(v=1, command="read_all", at=NOON, user_id="ada"), Undecodable, [], id="a command"
        ),
    ],
)
def test_each_situation_has_its_verdict_and_its_outcome(
    function: EmailFunction,
    message: Delivery | Command | bytes,
    verdict: Verdict,
    results: Sequence[tuple[str, str | None]],
) -> None:
    assert function.receive(message) == verdict
    assert function.results == results


def test_bug_in_a_provider_is_reported_and_raised() -> None:
    function = answering(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        function.receive(DELIVERY)
    assert function.receive(DELIVERY) == Retryable, "the claim is kept, because we do not know what was sent"
    assert function.results == [("attempt", "internal_error"), ("attempt", "claim_held")]


def test_outcome_has_the_attempt_the_times_and_the_provider() -> None:
    function = answering(SENT)
    function.receive(DELIVERY, attempt=3)
    assert function.outcomes.published == [
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


def test_finished_delivery_is_reported_again_and_not_sent_again() -> None:
    function = answering(SENT)
    assert [function.receive(DELIVERY), function.receive(DELIVERY, attempt=2)] == [None, None]
    assert len(function.provider.got) == 1
    assert function.outcomes.published[0] == function.outcomes.published[1]


def test_next_round_of_a_finished_delivery_is_sent() -> None:
    function = answering(SENT)
    function.receive(DELIVERY)
    function.receive(make_delivery(delivery_id=DELIVERY.delivery_id, round=2))
    assert [delivery.round for delivery in function.provider.got] == [1, 2]


def test_released_claim_can_be_claimed_at_once() -> None:
    function = answering(RATE_LIMITED, SENT)
    assert [function.receive(DELIVERY), function.receive(DELIVERY, attempt=2)] == [Retryable, None]
    assert not function.outcomes.published[-1].possible_duplicate


def test_claim_of_a_send_that_still_runs_is_kept_until_its_lease_ends() -> None:
    function = answering(StillSending(Reason.TIMEOUT), SENT)
    assert function.receive(DELIVERY) == StillSending
    function.clock.advance(seconds=LEASE.total_seconds() - 1)
    assert function.receive(DELIVERY) == Retryable
    function.clock.advance(seconds=1)
    assert function.receive(DELIVERY) is None
    assert function.results == [("attempt", "timeout"), ("attempt", "claim_held"), ("sent", None)]
    assert function.outcomes.published[-1].possible_duplicate


def test_success_after_an_ambiguous_attempt_is_a_possible_duplicate() -> None:
    function = answering(NO_ANSWER, RATE_LIMITED, SENT)
    assert function.receive(DELIVERY) == Retryable
    function.clock.advance(seconds=15)
    assert [function.receive(DELIVERY), function.receive(DELIVERY)] == [Retryable, None]
    assert function.outcomes.published[-1].possible_duplicate


def test_provider_that_never_answers_is_called_at_doubling_intervals() -> None:
    function = answering(NO_ANSWER)
    for _ in range(600):
        function.receive(DELIVERY)
        function.clock.advance(seconds=1)
    assert len(function.provider.got) == 6, "after 0, 15, 45, 105, 225 and 465 seconds"
    assert ("attempt", "unconfirmed") in function.results


def test_delivery_that_expires_during_its_cooldown_is_not_sent_again() -> None:
    function = answering(NO_ANSWER)
    delivery = make_delivery(expires_at=NOON + timedelta(seconds=10))
    function.receive(delivery)
    function.clock.advance(seconds=10)
    assert function.receive(delivery) is None
    assert [(outcome.result, outcome.possible_duplicate) for outcome in function.outcomes.published] == [
        ("attempt", False),
        ("expired", True),
    ]


def test_expired_lease_is_taken_over_and_reported_as_a_possible_duplicate() -> None:
    function = claimed_by_other(DELIVERY)
    function.clock.advance(seconds=LEASE.total_seconds())
    assert function.receive(DELIVERY) is None
    assert [(each.result, each.possible_duplicate) for each in function.outcomes.published] == [("sent", True)]


def test_sent_delivery_is_reported_as_sent_even_after_it_expired() -> None:
    function = answering(SENT)
    function.outcomes.transport.error = UNAVAILABLE
    function.receive(DELIVERY)
    function.outcomes.transport.error = None
    function.clock.at = DELIVERY.expires_at
    assert function.receive(DELIVERY) is None
    assert function.results == [("sent", None)]


def test_outcome_that_could_not_be_published_is_published_at_the_next_attempt() -> None:
    function = answering(SENT)
    function.outcomes.transport.error = UNAVAILABLE
    assert function.receive(DELIVERY) == Retryable
    function.outcomes.transport.error = None
    assert function.receive(DELIVERY) is None
    assert (function.results, len(function.provider.got)) == ([("sent", None)], 1)


def test_failed_attempt_that_cannot_be_reported_keeps_its_own_verdict() -> None:
    function = answering(CredentialsRefused(Reason.CREDENTIALS_REFUSED))
    function.outcomes.transport.error = UNAVAILABLE
    assert function.receive(DELIVERY) == CredentialsRefused


def test_outcome_that_cannot_be_recorded_is_reported_and_acknowledged() -> None:
    function = EmailFunction(ScriptedProvider([SENT]), ledger=FailingLedger(LEDGER_UNAVAILABLE))
    assert function.receive(DELIVERY) is None
    assert function.results == [("sent", None)]


def test_claim_that_cannot_be_released_does_not_hide_why_the_attempt_failed() -> None:
    function = EmailFunction(ScriptedProvider([RATE_LIMITED]), ledger=FailingLedger(LEDGER_UNAVAILABLE))
    assert function.receive(DELIVERY) == Retryable
    assert function.results == [("attempt", "rate_limited")]


def test_each_situation_logs_its_event(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    function = EmailFunction(ScriptedProvider([RATE_LIMITED, SENT]), ledger=FailingLedger(LEDGER_UNAVAILABLE))
    function.receive(DELIVERY)
    function.receive(make_delivery())
    assert [vars(record)["event"] for record in caplog.records] == [
        "ledger.release_failed",
        "delivery.attempt_failed",
        "ledger.finish_failed",
        "delivery.sent",
    ]


def test_logs_contain_no_address_and_no_content(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    function = answering(RATE_LIMITED, SENT)
    function.receive(DELIVERY)
    function.receive(DELIVERY)
    function.receive(encode(DELIVERY)[:-9])
    logged = " ".join(str(vars(record)) for record in caplog.records)
    assert DELIVERY.delivery_id in logged
    assert "ada@example.com" not in logged
    assert "You paid" not in logged
