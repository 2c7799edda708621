import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from functions.runtime.limits import ReceiverLimit, TimeLimit
from functions.runtime.provider import Provider, Rejected, Sent
from functions.webhook.request import receiver_of
from shared.envelope import Delivery
from shared.errors import Retryable, StillSending
from shared.reasons import Reason
from tests.factories import make_delivery
from tests.fakes import ScriptedProvider

REJECTED = Rejected("p", Reason.GONE)


class SlowReceiver:
    """A provider whose receiver ``slow.example`` answers when ``answering`` is set, and all others at once."""

    name = "slow"

    def __init__(self) -> None:
        self.answering = threading.Event()
        self.in_work = threading.Semaphore(0)

    def send(self, delivery: Delivery) -> Sent:
        if "slow.example" in delivery.recipient:
            self.in_work.release()
            assert self.answering.wait(timeout=10)
        return Sent(self.name, delivery.delivery_id)


def to(host: str) -> Delivery:
    return make_delivery("webhook", recipient=f"https://{host}/hook")


@contextmanager
def holding(slow: SlowReceiver, provider: Provider, count: int) -> Iterator[None]:
    """``count`` deliveries are in work at the slow receiver."""
    with ThreadPoolExecutor(count) as threads:
        try:
            sending = [threads.submit(provider.send, to("slow.example")) for _ in range(count)]
            assert all(slow.in_work.acquire(timeout=10) for _ in sending)
            yield
        finally:
            slow.answering.set()
        assert {type(each.result()) for each in sending} == {Sent}


def test_slow_receiver_holds_no_more_than_its_places_and_stops_no_other_receiver() -> None:
    slow = SlowReceiver()
    limit = ReceiverLimit(slow, receiver_of, limit=2, seconds=0.01)
    with holding(slow, limit, 2):
        with pytest.raises(Retryable) as caught:
            limit.send(to("slow.example"))
        assert (caught.value.reason, caught.value.ambiguous) == (Reason.RECEIVER_BUSY, False)
        assert isinstance(limit.send(to("other.example")), Sent)
    assert isinstance(limit.send(to("slow.example")), Sent), "the places are free again"


def test_delivery_waits_for_a_place_of_a_receiver_that_answers() -> None:
    slow = SlowReceiver()
    limit = ReceiverLimit(slow, receiver_of, limit=1, seconds=10)
    with ThreadPoolExecutor(1) as threads:
        with holding(slow, limit, 1):
            waiting = threads.submit(limit.send, to("slow.example"))
        assert isinstance(waiting.result(timeout=10), Sent)


@pytest.mark.parametrize(
    "url",
    ["https://slow.example/other", "https://SLOW.example", "https://slow.example?token=1", "https://slow.example:443/"],
)
def test_receiver_is_the_same_whatever_the_path_and_the_spelling(url: str) -> None:
    assert receiver_of(make_delivery("webhook", recipient=url)) == receiver_of(to("slow.example"))


def test_receiver_is_that_of_the_channels_url_if_it_has_one() -> None:
    delivery = make_delivery("webhook", recipient="https://other.example", config={"url": "https://slow.example/in"})
    assert receiver_of(delivery) == receiver_of(to("slow.example"))


@pytest.mark.parametrize("make", [lambda p: TimeLimit(p, 10), lambda p: ReceiverLimit(p, receiver_of, 1)])
def test_limits_pass_answers_and_errors_on(make: Callable[[Provider], Provider]) -> None:
    provider = make(ScriptedProvider([Sent("p"), REJECTED, Retryable(Reason.RATE_LIMITED), ZeroDivisionError("a bug")]))
    assert [provider.send(to("a.example")), provider.send(to("a.example"))] == [Sent("p"), REJECTED]
    with pytest.raises(Retryable, match="rate_limited"):
        provider.send(to("a.example"))
    with pytest.raises(ZeroDivisionError):
        provider.send(to("a.example"))


def test_send_that_takes_too_long_is_given_up_as_ambiguous() -> None:
    slow = SlowReceiver()
    began = time.monotonic()
    with pytest.raises(StillSending) as caught:
        TimeLimit(slow, 0.05).send(to("slow.example"))
    assert (caught.value.reason, caught.value.ambiguous, caught.value.provider) == (Reason.TIMEOUT, True, "slow")
    assert time.monotonic() - began < 2
    slow.answering.set()


def test_delivery_that_no_thread_began_in_time_was_surely_not_sent() -> None:
    slow = SlowReceiver()
    limit = TimeLimit(slow, seconds=0.2, max_sends=1)
    with ThreadPoolExecutor(1) as threads:
        sending = threads.submit(limit.send, to("slow.example"))
        try:
            assert slow.in_work.acquire(timeout=10)
            with pytest.raises(Retryable) as caught:
                limit.send(to("other.example"))
        finally:
            slow.answering.set()
        assert not isinstance(caught.value, StillSending)
        assert not caught.value.ambiguous
        assert isinstance(sending.exception(timeout=10), StillSending)
