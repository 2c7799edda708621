"""The contract of every transport: what is published reaches a handler, and comes again until it is done."""

import time
from collections import Counter
from itertools import pairwise

import msgspec

from shared.errors import Retryable, Undecodable
from shared.reasons import Reason
from shared.topology import Subscription, subscriptions
from tests.contract.messages import TIMEOUT_SECONDS, Consumer, message, publish
from tests.contract.messaging import Messaging
from transport.port import Encoded, Received

DECLARED = {each.name: each for each in subscriptions()}


def sms(messaging: Messaging) -> Subscription:
    return messaging.pace.of(DECLARED["notifications-sms"])


def dead(messaging: Messaging) -> Subscription:
    return messaging.pace.of(DECLARED["notifications-sms-dead-function"])


def short_name(received: Received) -> str:
    """The subscription without Pub/Sub's project."""
    return received.subscription.rpartition("/")[2]


def test_bytes_and_attributes_arrive_unchanged(messaging: Messaging) -> None:
    sent = Encoded(bytes(range(256)) * 4, {"channel": "sms", "event_type": "ünïcode", "empty": ""})
    consumer = Consumer()
    with messaging.producing() as topic, messaging.handling(sms(messaging), consumer):
        publish(topic, sent)
        received = consumer.next()
    assert (received.data, received.attributes) == sent
    assert (received.attempt, short_name(received), received.dead_after) == (1, "notifications-sms", None)


def test_a_subscription_gets_the_messages_of_its_channel_type_only(messaging: Messaging) -> None:
    consumer = Consumer()
    with messaging.producing() as topic, messaging.handling(sms(messaging), consumer):
        publish(topic, message("mail", channel="email"), message("text"))
        assert consumer.next().data == b"text"
        assert consumer.gets_nothing_for(0.3)


def test_what_is_done_does_not_come_again(messaging: Messaging) -> None:
    consumer = Consumer()
    with messaging.producing() as topic, messaging.handling(sms(messaging), consumer):
        publish(topic, message("once"))
        consumer.next()
        assert consumer.gets_nothing_for(messaging.pace.deadline_seconds + 1)


def test_what_fails_comes_again_after_the_backoff_and_counts_its_attempts(messaging: Messaging) -> None:
    pace = messaging.pace
    consumer = Consumer(lambda received: Retryable(Reason.TIMEOUT) if received.attempt != pace.attempts else None)
    # A deadline that is later than the backoff must not delay the next attempt.
    patient = msgspec.structs.replace(sms(messaging), ack_deadline_seconds=30)
    with messaging.producing() as topic, messaging.handling(patient, consumer):
        publish(topic, message("again"))
        found = [consumer.next_with_time() for _ in range(pace.attempts)]
        assert consumer.gets_nothing_for(2 * pace.backoff_seconds)
    assert [received.attempt for received, _ in found] == list(range(1, pace.attempts + 1))
    waits = [later - earlier for (_, earlier), (_, later) in pairwise(found)][pace.attempts_at_once - 1 :]
    assert all(pace.backoff_seconds <= wait < pace.backoff_seconds + pace.punctual_seconds for wait in waits)


def test_what_always_fails_is_a_dead_letter_after_its_attempts(messaging: Messaging) -> None:
    errors = {
        b"not yet": Retryable(Reason.TIMEOUT),
        b"not ours": Undecodable("no"),
        b"a bug": ZeroDivisionError("a bug"),
    }
    failing, letters = Consumer(lambda received: errors[received.data]), Consumer()
    with (
        messaging.producing() as topic,
        messaging.handling(sms(messaging), failing),
        messaging.handling(dead(messaging), letters),
    ):
        publish(topic, *(message(text.decode()) for text in errors))
        found = [letters.next() for _ in errors]
        attempts = [failing.next() for _ in range(len(errors) * messaging.pace.attempts)]
        assert failing.gets_nothing_for(2 * messaging.pace.backoff_seconds)
    assert {letter.data for letter in found} == set(errors)
    for letter in found:
        counted = [received.attempt for received in attempts if received.data == letter.data]
        assert counted == list(range(1, messaging.pace.attempts + 1))
        assert (letter.attributes["channel"], letter.dead_after) == ("sms", messaging.pace.attempts)
        assert (letter.attempt or 1, short_name(letter)) == (1, "notifications-sms-dead-function")


def test_four_consumers_share_the_messages_and_none_comes_twice(messaging: Messaging) -> None:
    consumers = [Consumer() for _ in range(4)]
    bodies = [f"message {number}" for number in range(300)]
    with messaging.producing() as topic, messaging.handling(sms(messaging), *consumers):
        publish(topic, *map(message, bodies))
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while sum(each.got.qsize() for each in consumers) < len(bodies) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(messaging.pace.deadline_seconds + 0.5)
    counts = Counter(consumer.next().data.decode() for consumer in consumers for _ in range(consumer.got.qsize()))
    assert counts == Counter(bodies)


def test_what_a_dead_consumer_held_comes_again(messaging: Messaging) -> None:
    consumer = Consumer()
    with messaging.producing() as topic:
        publish(topic, message("held"))
        with messaging.handling_after_a_death(sms(messaging), consumer):
            received = consumer.next()
    assert received.data == b"held"
    assert (received.attempt or 0) > 1


def test_a_message_that_waits_for_its_next_attempt_holds_up_no_other(messaging: Messaging) -> None:
    first_waiting = messaging.pace.attempts_at_once
    failing = Consumer(
        lambda received: (
            Retryable(Reason.TIMEOUT) if received.data == b"bad" and (received.attempt or 0) <= first_waiting else None
        )
    )
    slow = msgspec.structs.replace(sms(messaging), backoff_seconds=(3.0, 3.0))
    good = {f"good {number}".encode() for number in range(20)}
    with messaging.producing() as topic, messaging.handling(slow, failing):
        publish(topic, message("bad"))
        assert [failing.next().data for _ in range(first_waiting)] == [b"bad"] * first_waiting
        publish(topic, *(message(each.decode()) for each in good))
        assert {failing.next().data for _ in range(20)} == good
        assert failing.next().data == b"bad"
