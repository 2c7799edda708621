import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.runtime.failover import Breaker, Failover
from functions.runtime.provider import Provider, Rejected, Sent
from functions.webhook.request import receiver_of
from shared.envelope import Delivery
from shared.errors import CredentialsRefused, DeliveryError, Retryable
from tests.factories import make_delivery
from tests.fakes import ScriptedProvider

LATER = Retryable("rate_limited")
NO_ANSWER = Retryable("timeout", ambiguous=True)


def providers(first: Sent | Rejected | Exception, second: Sent | Rejected | Exception) -> list[Provider]:
    return [ScriptedProvider([first], "first"), ScriptedProvider([second], "second")]


def test_the_next_provider_is_tried_when_one_asks_to_come_back_later() -> None:
    assert Failover(providers(LATER, Sent("second"))).send(make_delivery()) == Sent("second")


@pytest.mark.parametrize("error", [NO_ANSWER, CredentialsRefused("credentials_refused")])
def test_nothing_else_makes_it_fail_over(error: DeliveryError) -> None:
    with pytest.raises(type(error), match=error.reason):
        Failover(providers(error, Sent("second"))).send(make_delivery())


def test_a_refusal_is_an_answer_and_stands() -> None:
    assert Failover(providers(Rejected("first", "bad"), Sent("second"))).send(make_delivery()) == Rejected(
        "first", "bad"
    )


def test_where_duplicates_are_acceptable_it_fails_over_without_an_answer_and_says_so() -> None:
    delivery = make_delivery(config={"accept_duplicates": True})
    answer = Failover(providers(NO_ANSWER, Sent("second"))).send(delivery)
    assert answer == Sent("second", possible_duplicate=True)


def test_an_ambiguous_attempt_stays_ambiguous_whatever_the_next_provider_says() -> None:
    with pytest.raises(Retryable) as caught:
        Failover(providers(NO_ANSWER, LATER)).send(make_delivery(config={"accept_duplicates": True}))
    assert caught.value.ambiguous


def test_the_last_error_is_raised_when_all_ask_to_come_back() -> None:
    with pytest.raises(Retryable, match="second"):
        Failover(providers(LATER, Retryable("second"))).send(make_delivery())


def test_the_channels_config_orders_the_providers_and_leaves_some_out() -> None:
    both = providers(Sent("first"), Sent("second"))
    assert Failover(both).send(make_delivery(config={"providers": ["second"]})) == Sent("second")
    assert Failover(both).send(make_delivery(config={"providers": ["unheard-of", "first"]})) == Sent("first")


def test_a_config_that_names_only_providers_that_are_not_set_up_raises_an_alert() -> None:
    with pytest.raises(CredentialsRefused, match="smtp"):
        Failover(providers(Sent("first"), Sent("second"))).send(make_delivery(config={"providers": ["smtp"]}))


def fail(breaker: Breaker, times: int) -> list[str]:
    reasons = []
    for _ in range(times):
        with pytest.raises(Retryable) as caught:
            breaker.send(make_delivery())
        reasons.append(caught.value.reason)
    return reasons


def test_a_breaker_opens_after_failures_in_a_row_and_then_leaves_the_provider_alone() -> None:
    provider = ScriptedProvider([LATER])
    assert fail(Breaker(provider, fails=2), 4) == ["rate_limited", "rate_limited", "breaker_open", "breaker_open"]
    assert len(provider.got) == 2


def test_a_success_or_a_refusal_between_failures_keeps_the_breaker_closed() -> None:
    breaker = Breaker(ScriptedProvider([LATER, Sent("p"), LATER, Rejected("p", "bad"), LATER]), fails=2)
    fail(breaker, 1)
    assert breaker.send(make_delivery()) == Sent("p")
    fail(breaker, 1)
    assert breaker.send(make_delivery()) == Rejected("p", "bad")
    assert fail(breaker, 1) == ["rate_limited"]


def test_after_the_break_one_trial_decides() -> None:
    breaker = Breaker(ScriptedProvider([LATER, NO_ANSWER, Sent("p"), LATER, Sent("p")]), fails=1, seconds=0)
    assert fail(breaker, 2) == ["rate_limited", "timeout"], "the trial's own error comes through"
    assert breaker.send(make_delivery()) == Sent("p")
    fail(breaker, 1)
    assert breaker.send(make_delivery()) == Sent("p")


def test_an_open_breaker_sends_the_message_to_the_next_provider() -> None:
    broken = Breaker(ScriptedProvider([LATER], "first"), fails=1)
    failover = Failover([broken, ScriptedProvider([Sent("second")], "second")])
    fail(broken, 1)
    assert failover.send(make_delivery()) == Sent("second")


class Meeting:
    """A provider that answers only when two are with it at once."""

    name = "meeting"

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)

    def send(self, delivery: Delivery) -> Sent:
        self._barrier.wait(timeout=10)
        return Sent(self.name, delivery.delivery_id)


def test_a_closed_breaker_lets_messages_through_side_by_side() -> None:
    breaker = Breaker(Meeting())
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(breaker.send, [make_delivery(), make_delivery()]))
    assert len(answers) == 2


def test_a_party_that_is_down_holds_up_no_other_behind_the_same_provider() -> None:
    provider = ScriptedProvider([LATER, LATER, Sent("p")])
    breaker = Breaker(provider, party=receiver_of, fails=1)
    down, up = (make_delivery(recipient=f"https://{host}.example.com/hook") for host in ("down", "up"))
    for expected in ("rate_limited", "breaker_open"):
        with pytest.raises(Retryable, match=expected):
            breaker.send(down)
    with pytest.raises(Retryable, match="rate_limited"):
        breaker.send(up)
    assert breaker.send(make_delivery(config={"url": "https://third.example.com"})) == Sent("p")
