import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.runtime.failover import Breaker, Failover
from functions.runtime.provider import Provider, Rejected, Sent
from functions.webhook.request import receiver_of
from shared.envelope import Delivery
from shared.errors import CredentialsRefused, Retryable
from shared.reasons import Reason
from tests.factories import make_delivery
from tests.fakes import ScriptedProvider

RATE_LIMITED = Retryable(Reason.RATE_LIMITED)
NO_ANSWER = Retryable(Reason.TIMEOUT, ambiguous=True)
CREDENTIALS_REFUSED = CredentialsRefused(Reason.CREDENTIALS_REFUSED, provider="first")
REJECTED = Rejected("p", Reason.BAD_REQUEST)


def providers(first: Sent | Rejected | Exception, second: Sent | Rejected | Exception) -> list[Provider]:
    return [ScriptedProvider([first], "first"), ScriptedProvider([second], "second")]


def test_retryable_error_fails_over_to_the_next_provider() -> None:
    assert Failover(providers(RATE_LIMITED, Sent("second"))).send(make_delivery()) == Sent("second")


def test_refused_credentials_fail_over_because_nothing_was_sent_and_the_alert_stays(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert Failover(providers(CREDENTIALS_REFUSED, Sent("second"))).send(make_delivery()) == Sent("second")
    (record,) = caplog.records
    assert (vars(record)["event"], record.levelname) == ("message.credentials_refused", "CRITICAL")
    assert (vars(record)["provider"], vars(record)["reason"]) == ("first", "credentials_refused")


@pytest.mark.parametrize("second", [RATE_LIMITED, NO_ANSWER])
def test_alert_about_the_first_provider_stays_if_the_next_one_fails(
    second: Retryable, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Retryable) as caught:
        Failover(providers(CREDENTIALS_REFUSED, second)).send(make_delivery())
    assert (caught.value.reason, caught.value.ambiguous) == (second.reason, second.ambiguous)
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]


def test_refused_credentials_of_the_last_provider_are_raised_and_logged_by_no_one_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(CredentialsRefused, match="credentials_refused"):
        Failover(providers(RATE_LIMITED, CREDENTIALS_REFUSED)).send(make_delivery())
    assert caplog.records == [], "the handler of the message logs the error that it gets"


def test_refused_credentials_after_an_ambiguous_answer_do_not_hide_that_it_was_ambiguous(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(Retryable) as caught:
        Failover(providers(NO_ANSWER, CREDENTIALS_REFUSED)).send(make_delivery(config={"accept_duplicates": True}))
    assert caught.value.ambiguous
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]


def test_ambiguous_error_does_not_fail_over() -> None:
    with pytest.raises(Retryable, match="timeout"):
        Failover(providers(NO_ANSWER, Sent("second"))).send(make_delivery())


def test_rejection_does_not_fail_over() -> None:
    assert Failover(providers(REJECTED, Sent("second"))).send(make_delivery()) == REJECTED


def test_ambiguous_error_fails_over_as_a_possible_duplicate_if_the_channel_accepts_duplicates() -> None:
    delivery = make_delivery(config={"accept_duplicates": True})
    answer = Failover(providers(NO_ANSWER, Sent("second"))).send(delivery)
    assert answer == Sent("second", possible_duplicate=True)


def test_ambiguous_error_stays_ambiguous_after_the_next_provider_failed() -> None:
    with pytest.raises(Retryable) as caught:
        Failover(providers(NO_ANSWER, RATE_LIMITED)).send(make_delivery(config={"accept_duplicates": True}))
    assert caught.value.ambiguous


def test_last_error_is_raised_if_every_provider_fails() -> None:
    with pytest.raises(Retryable, match="the second's error"):
        Failover(providers(RATE_LIMITED, Retryable(Reason.UNREACHABLE, "the second's error"))).send(make_delivery())


def test_config_selects_and_orders_the_providers() -> None:
    both = providers(Sent("first"), Sent("second"))
    assert Failover(both).send(make_delivery(config={"providers": ["second"]})) == Sent("second")
    assert Failover(both).send(make_delivery(config={"providers": ["unknown", "first"]})) == Sent("first")


def test_config_that_names_no_configured_provider_raises_an_alert() -> None:
    with pytest.raises(CredentialsRefused, match="smtp"):
        Failover(providers(Sent("first"), Sent("second"))).send(make_delivery(config={"providers": ["smtp"]}))


def fail(breaker: Breaker, times: int) -> list[str]:
    reasons: list[str] = []
    for _ in range(times):
        with pytest.raises(Retryable) as caught:
            breaker.send(make_delivery())
        reasons.append(caught.value.reason)
    return reasons


def test_breaker_opens_after_failures_in_a_row_and_then_does_not_call_the_provider() -> None:
    provider = ScriptedProvider([RATE_LIMITED])
    assert fail(Breaker(provider, fails=2), 4) == ["rate_limited", "rate_limited", "breaker_open", "breaker_open"]
    assert len(provider.got) == 2


def test_success_or_rejection_between_failures_keeps_the_breaker_closed() -> None:
    breaker = Breaker(ScriptedProvider([RATE_LIMITED, Sent("p"), RATE_LIMITED, REJECTED, RATE_LIMITED]), fails=2)
    fail(breaker, 1)
    assert breaker.send(make_delivery()) == Sent("p")
    fail(breaker, 1)
    assert breaker.send(make_delivery()) == REJECTED
    assert fail(breaker, 1) == ["rate_limited"]


def test_path_that_a_receiver_does_not_know_now_keeps_the_breaker_of_its_host_closed() -> None:
    assert fail(Breaker(ScriptedProvider([Retryable(Reason.NOT_ACCEPTED_NOW)]), fails=1), 3) == ["not_accepted_now"] * 3


def test_one_trial_after_the_break_closes_or_opens_the_breaker() -> None:
    breaker = Breaker(
        ScriptedProvider([RATE_LIMITED, NO_ANSWER, Sent("p"), RATE_LIMITED, Sent("p")]), fails=1, seconds=0
    )
    assert fail(breaker, 2) == ["rate_limited", "timeout"], "the trial's own error is raised"
    assert breaker.send(make_delivery()) == Sent("p")
    fail(breaker, 1)
    assert breaker.send(make_delivery()) == Sent("p")


def test_open_breaker_fails_over_to_the_next_provider() -> None:
    broken = Breaker(ScriptedProvider([RATE_LIMITED], "first"), fails=1)
    failover = Failover([broken, ScriptedProvider([Sent("second")], "second")])
    fail(broken, 1)
    assert failover.send(make_delivery()) == Sent("second")


class TwoAtOnce:
    """A provider that answers only when two deliveries are in it at the same time."""

    name = "two"

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)

    def send(self, delivery: Delivery) -> Sent:
        self._barrier.wait(timeout=10)
        return Sent(self.name, delivery.delivery_id)


def test_closed_breaker_sends_messages_concurrently() -> None:
    breaker = Breaker(TwoAtOnce())
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(breaker.send, [make_delivery(), make_delivery()]))
    assert len(answers) == 2


def test_receiver_that_is_down_does_not_stop_other_receivers_of_the_same_provider() -> None:
    provider = ScriptedProvider([RATE_LIMITED, RATE_LIMITED, Sent("p")])
    breaker = Breaker(provider, breaker_key=receiver_of, fails=1)
    down, up = (make_delivery(recipient=f"https://{host}.example.com/hook") for host in ("down", "up"))
    for expected in ("rate_limited", "breaker_open"):
        with pytest.raises(Retryable, match=expected):
            breaker.send(down)
    with pytest.raises(Retryable, match="rate_limited"):
        breaker.send(up)
    assert breaker.send(make_delivery(config={"url": "https://third.example.com"})) == Sent("p")
