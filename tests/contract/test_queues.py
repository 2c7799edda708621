"""The contract of every transport that workers take from: topics, queues, and the worker over both."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from itertools import pairwise

import msgspec
import pytest

from shared.errors import Retryable, Undecodable
from shared.reasons import Reason
from shared.topology import TOPOLOGY
from tests.contract.messages import TIMEOUT_SECONDS, Consumer, message, publish
from tests.contract.transports import ATTEMPTS, BACKOFF_SECONDS, DEADLINE_SECONDS, Server, notifications, quick, working
from transport.connect import Transport
from transport.port import Encoded, PublishError, Received

SMS = quick(TOPOLOGY["sms"].subscription)
DEAD = quick(TOPOLOGY["sms"].dead_letter_subscription)
PUNCTUAL_SECONDS = 2.0
"""How much later than its backoff a message may come again."""


@pytest.fixture(autouse=True)
def drained(server: Server) -> None:
    """Leaves no message of another test."""
    with server.connected() as transport:
        for subscription in (SMS, DEAD, quick(TOPOLOGY["email"].subscription)):
            queue = transport.queue(subscription)
            while taken := queue.take(1000, 0.05):
                queue.done(taken)


def test_bytes_and_attributes_arrive_unchanged(transport: Transport) -> None:
    body = bytes(range(256)) * 4
    consumer = Consumer()
    with working(transport, SMS, consumer):
        publish(transport, Encoded(body, {"channel": "sms", "event_type": "ünïcode", "empty": ""}))
        received = consumer.next()
    assert received.data == body
    assert received.attributes == {"channel": "sms", "event_type": "ünïcode", "empty": ""}
    assert (received.attempt, received.subscription, received.dead_after) == (1, SMS.name, None)


def test_a_subscription_gets_the_messages_of_its_channel_type_only(transport: Transport) -> None:
    consumer = Consumer()
    with working(transport, SMS, consumer):
        publish(transport, message("mail", channel="email"), message("text"))
        assert consumer.next().data == b"text"
        assert consumer.gets_nothing_for(0.3)


def test_a_message_that_waits_in_a_queue_is_taken_at_once_when_it_is_published(transport: Transport) -> None:
    queue = transport.queue(SMS)
    threading.Timer(0.5, publish, [transport, message("late")]).start()
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not (taken := queue.take(10, TIMEOUT_SECONDS)):
        assert time.monotonic() < deadline
    assert [each.received.data for each in taken] == [b"late"]
    queue.done(taken)


def test_a_take_that_waits_or_is_about_to_wait_can_be_woken(transport: Transport) -> None:
    queue = transport.queue(SMS)
    queue.wake()
    began = time.monotonic()
    assert queue.take(10, TIMEOUT_SECONDS) == []
    threading.Timer(0.3, queue.wake).start()
    assert queue.take(10, TIMEOUT_SECONDS) == []
    assert time.monotonic() - began < TIMEOUT_SECONDS


def test_what_is_done_does_not_come_again(transport: Transport) -> None:
    consumer = Consumer()
    with working(transport, SMS, consumer):
        publish(transport, message("once"))
        consumer.next()
        assert consumer.gets_nothing_for(DEADLINE_SECONDS + 1)


def test_what_fails_comes_again_after_the_backoff_and_counts_its_attempts(transport: Transport) -> None:
    consumer = Consumer(lambda received: Retryable(Reason.TIMEOUT) if (received.attempt or 0) < ATTEMPTS else None)
    # A deadline that is later than the backoff must not delay the next attempt.
    with working(transport, msgspec.structs.replace(SMS, ack_deadline_seconds=30), consumer):
        publish(transport, message("again"))
        found = [consumer.next_with_time() for _ in range(ATTEMPTS)]
        assert consumer.gets_nothing_for(2 * BACKOFF_SECONDS)
    assert [received.attempt for received, _ in found] == list(range(1, ATTEMPTS + 1))
    waits = [later - earlier for (_, earlier), (_, later) in pairwise(found)]
    assert all(BACKOFF_SECONDS <= wait < BACKOFF_SECONDS + PUNCTUAL_SECONDS for wait in waits)


@pytest.mark.parametrize("error", [Retryable(Reason.TIMEOUT), Undecodable("no"), ZeroDivisionError("a bug")])
def test_what_always_fails_is_a_dead_letter_after_its_attempts(transport: Transport, error: Exception) -> None:
    failing, dead = Consumer(lambda _: error), Consumer()
    with working(transport, SMS, failing), working(transport, DEAD, dead):
        publish(transport, message("dead"))
        letter = dead.next()
        assert [failing.next().attempt for _ in range(ATTEMPTS)] == list(range(1, ATTEMPTS + 1))
        assert failing.gets_nothing_for(2 * BACKOFF_SECONDS)
    assert (letter.data, letter.attributes["channel"]) == (b"dead", "sms")
    assert (letter.dead_after, letter.attempt, letter.subscription) == (ATTEMPTS, 1, DEAD.name)


def test_four_consumers_share_the_messages_and_none_comes_twice(server: Server) -> None:
    consumers = [Consumer() for _ in range(4)]
    bodies = [f"message {number}" for number in range(300)]
    with server.connected() as producer:
        transports = [server.connect() for _ in consumers]
        contexts = [working(each, SMS, consumer) for each, consumer in zip(transports, consumers, strict=True)]
        for context in contexts:
            context.__enter__()
        publish(producer, *map(message, bodies))
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while sum(each.got.qsize() for each in consumers) < len(bodies) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(DEADLINE_SECONDS + 0.5)
        for context in contexts:
            context.__exit__(None, None, None)
        for each in transports:
            each.close()
    counts = Counter(consumer.next().data.decode() for consumer in consumers for _ in range(consumer.got.qsize()))
    assert counts == Counter(bodies)


def test_what_a_dead_consumer_held_comes_again_after_the_deadline(server: Server) -> None:
    with server.connected() as transport:
        with server.connected() as dying:
            publish(dying, message("held"))
            queue = dying.queue(SMS)
            deadline = time.monotonic() + TIMEOUT_SECONDS
            while not (taken := queue.take(1, 1.0)):
                assert time.monotonic() < deadline
            assert [each.received.attempt for each in taken] == [1]
        consumer = Consumer()
        with working(transport, SMS, consumer):
            received = consumer.next()
    assert (received.data, received.attempt) == (b"held", 2)


def test_a_message_that_kills_its_workers_is_a_dead_letter_after_its_attempts(server: Server) -> None:
    with server.connected() as transport:
        publish(transport, message("deadly"))
        for _ in range(ATTEMPTS):
            command = [sys.executable, "-m", "tests.contract.killed_worker"]
            environment = os.environ | server.environment
            killed = subprocess.run(command, env=environment, check=False, timeout=TIMEOUT_SECONDS)
            assert killed.returncode == -signal.SIGKILL
        spared, dead = Consumer(), Consumer()
        with working(transport, SMS, spared), working(transport, DEAD, dead):
            letter = dead.next()
            assert spared.got.empty()
    assert (letter.data, letter.dead_after) == (b"deadly", ATTEMPTS + 1)


def test_a_message_that_waits_for_its_next_attempt_holds_up_no_other(transport: Transport) -> None:
    failing = Consumer(
        lambda received: Retryable(Reason.TIMEOUT) if (received.data, received.attempt) == (b"bad", 1) else None
    )
    slow = msgspec.structs.replace(SMS, backoff_seconds=(3.0, 3.0))
    with working(transport, slow, failing):
        publish(transport, message("bad"))
        assert failing.next().data == b"bad"
        publish(transport, *(message(f"good {number}") for number in range(20)))
        assert {failing.next().data for _ in range(20)} == {f"good {number}".encode() for number in range(20)}
        assert failing.next().data == b"bad"


def test_a_worker_that_stops_finishes_what_it_has_begun(transport: Transport) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def handler(_received: Received) -> None:
        begun.set()
        assert go_on.wait(TIMEOUT_SECONDS)

    with working(transport, SMS, handler):
        publish(transport, message("begun"))
        assert begun.wait(TIMEOUT_SECONDS)
        threading.Timer(0.3, go_on.set).start()
    again = Consumer()
    with working(transport, SMS, again):
        assert again.gets_nothing_for(DEADLINE_SECONDS + 0.5)


def test_what_was_published_survives_the_death_of_the_server(server: Server) -> None:
    with server.connected() as transport:
        publish(transport, *(message(f"kept {number}") for number in range(50)))
    server.kill()
    server.restart()
    consumer = Consumer()
    with server.connected() as transport, working(transport, SMS, consumer):
        found = {consumer.next().data for _ in range(50)}
    assert found == {f"kept {number}".encode() for number in range(50)}


def test_while_the_server_is_away_publishing_fails_and_then_both_ends_recover(server: Server) -> None:
    consumer = Consumer()
    with server.connected() as transport, working(transport, SMS, consumer):
        publish(transport, message("before"))
        assert consumer.next().data == b"before"
        server.kill()
        try:
            with pytest.raises(PublishError):
                publish(transport, message("lost"))
            with pytest.raises(PublishError):
                notifications(transport).check()
        finally:
            server.restart()
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            try:
                publish(transport, message("after"))
                break
            except PublishError:
                time.sleep(0.1)
        assert {consumer.next().data for _ in range(1)} <= {b"after", b"lost", b"before"}
