import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.runtime.breaker import Breaker
from functions.runtime.provider import Rejected, Sent
from functions.webhook.request import receiver_of
from shared.envelope import Delivery
from shared.errors import Retryable
from shared.reasons import Reason
from tests.factories import make_delivery
from tests.fakes import ScriptedProvider

RATE_LIMITED = Retryable(Reason.RATE_LIMITED)
NO_ANSWER = Retryable(Reason.TIMEOUT, ambiguous=True)
REJECTED = Rejected("p", Reason.BAD_REQUEST)


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


class Held:
    """A provider that fails, and then holds each delivery until ``answering`` is set."""

    name = "held"

    def __init__(self) -> None:
        self.answering = threading.Event()
        self.in_work = threading.Semaphore(0)
        self.failing = True

    def send(self, delivery: Delivery) -> Sent:
        if self.failing:
            raise RATE_LIMITED
        self.in_work.release()
        assert self.answering.wait(timeout=10)
        return Sent(self.name, delivery.delivery_id)


def test_one_trial_is_let_through_and_every_other_delivery_is_answered_at_once() -> None:
    held = Held()
    breaker = Breaker(held, fails=1, seconds=0)
    fail(breaker, 1)
    held.failing = False
    with ThreadPoolExecutor(9) as threads:
        trial = threads.submit(breaker.send, make_delivery())
        assert held.in_work.acquire(timeout=10)
        began = time.monotonic()
        others = [threads.submit(fail, breaker, 1) for _ in range(8)]
        try:
            reasons = [other.result(timeout=5) for other in others]
            seconds = time.monotonic() - began
        finally:
            held.answering.set()
        assert isinstance(trial.result(timeout=10), Sent)
    assert reasons == [["breaker_open"]] * 8
    assert seconds < 2, "they did not wait for the trial"
    assert isinstance(breaker.send(make_delivery()), Sent), "the trial has closed the breaker"


def test_delivery_that_began_before_the_break_neither_waits_for_the_trial_nor_ends_the_break() -> None:
    held = Held()
    held.failing = False
    breaker = Breaker(held, fails=1, seconds=60)
    with ThreadPoolExecutor(1) as threads:
        early = threads.submit(breaker.send, make_delivery())
        assert held.in_work.acquire(timeout=10)
        held.failing = True
        fail(breaker, 1)
        held.answering.set()
        assert isinstance(early.result(timeout=10), Sent)
    assert fail(breaker, 1) == ["breaker_open"]


def test_bug_in_a_trial_frees_the_place_for_the_next_trial() -> None:
    breaker = Breaker(ScriptedProvider([RATE_LIMITED, ZeroDivisionError("a bug"), Sent("p")]), fails=1, seconds=0)
    fail(breaker, 1)
    with pytest.raises(ZeroDivisionError):
        breaker.send(make_delivery())
    assert breaker.send(make_delivery()) == Sent("p")
