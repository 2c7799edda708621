"""What the transport over RabbitMQ derives without a server: names, routing keys, waits, and its address."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from local.rabbitmq_server import RabbitmqMissing
from local.stack import Options, Stack
from shared.backoff import SPREAD, backoff
from shared.errors import ConfigurationError
from shared.profile import Profile
from shared.topology import CHANNEL_TYPES, NOTIFICATIONS_TOPIC, TOPOLOGY, subscriptions, topics
from transport.rabbitmq import address
from transport.rabbitmq_topology import (
    DELIVERY_LIMIT,
    RETRY_SECONDS,
    declaration_of_topic,
    retry_queue,
    retry_queues,
    retry_seconds,
    routing_key,
)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"channel": "sms", "event_type": "payment"}, "channel.sms.payment"),
        ({"channel": "sms", "event_type": "order.paid"}, "channel.sms.order.paid"),
        ({"channel": "inapp", "command": "mark_read"}, "channel.inapp"),
        ({"channel": "sms", "event_type": ""}, "channel.sms"),
        ({"result": "sent"}, "channel"),
        ({"channel": "sms", "event_type": "a\ud800b"}, "channel.sms.a?b"),
    ],
)
def test_routing_key_has_the_channel_type_and_the_event_type(attributes: dict[str, str], expected: str) -> None:
    assert routing_key(attributes) == expected


@pytest.mark.parametrize("letter", ["a", "é", "✓", "😀"])
def test_routing_key_is_cut_between_characters_at_the_limit_of_amqp(letter: str) -> None:
    key = routing_key({"channel": "sms", "event_type": letter * 300})
    assert 252 <= len(key.encode()) <= 255
    assert key == "channel.sms." + letter * (len(key) - len("channel.sms."))


@pytest.mark.parametrize(
    ("asked", "step"), [(0.0, 0.25), (0.24, 0.25), (1.0, 1), (1.01, 2), (12.0, 15), (720.0, 720), (9999.0, 720)]
)
def test_a_wait_is_the_next_step_that_is_not_shorter(asked: float, step: float) -> None:
    assert retry_seconds(asked) == step


def test_every_backoff_of_the_topology_has_a_step_that_is_not_shorter() -> None:
    longest = [each.backoff_seconds[1] * (1 + SPREAD) for each in subscriptions() if each.backoff_seconds]
    assert longest
    assert max(longest) <= RETRY_SECONDS[-1]


def test_every_backoff_of_a_subscription_has_its_queue() -> None:
    (sms,) = (each for each in subscriptions() if each.name == TOPOLOGY["sms"].subscription)
    shortest, longest = (timedelta(seconds=seconds) for seconds in sms.backoff_seconds or ())
    waits = {
        backoff(shortest, longest, failures, partial(float, spread)).total_seconds()
        for failures in range(1, 12)
        for spread in (0.0, 0.5, 1.0)
    }
    names = {retry_queue(sms, retry_seconds(wait)).name for wait in waits}
    assert names == {queue.name for queue in retry_queues(sms)}


def test_rabbitmqs_own_limit_is_never_below_the_attempts_of_a_subscription() -> None:
    attempts = [each.dead_letters.attempts for each in subscriptions() if each.dead_letters]
    assert attempts
    assert max(attempts) <= DELIVERY_LIMIT


def test_a_topic_needs_the_queues_of_its_subscriptions_and_of_their_dead_letters() -> None:
    needed = declaration_of_topic(NOTIFICATIONS_TOPIC)
    dead_letters = {TOPOLOGY[name].dead_letter_topic for name in CHANNEL_TYPES}
    assert set(needed.exchanges) == {NOTIFICATIONS_TOPIC, *dead_letters}
    assert {(queue.name, queue.exchange, queue.pattern) for queue in needed.queues} == {
        *((TOPOLOGY[name].subscription, NOTIFICATIONS_TOPIC, f"channel.{name}.#") for name in CHANNEL_TYPES),
        *((TOPOLOGY[name].dead_letter_subscription, TOPOLOGY[name].dead_letter_topic, "#") for name in CHANNEL_TYPES),
    }


def test_every_subscription_has_a_queue() -> None:
    queues = {queue.name for topic in topics() for queue in declaration_of_topic(topic).queues}
    assert queues == {subscription.name for subscription in subscriptions()}


def test_no_queue_drops_a_message_that_is_delivered_often() -> None:
    queues = [queue for topic in topics() for queue in declaration_of_topic(topic).queues]
    queues += [retry_queue(each, RETRY_SECONDS[0]) for each in subscriptions()]
    for queue in queues:
        arguments = queue.arguments
        assert arguments["x-queue-type"] == "quorum"
        if "x-dead-letter-exchange" in arguments:
            assert arguments["x-dead-letter-strategy"] == "at-least-once"
            assert arguments["x-overflow"] == "reject-publish"
        else:
            assert arguments["x-delivery-limit"] == 2**31 - 1


@pytest.mark.parametrize("url", ["amqp://guest:guest@127.0.0.1:5672/", "amqps://user:secret@rabbit.example/vhost"])
def test_address_is_the_value_of_amqp_url(url: str) -> None:
    assert address({"AMQP_URL": url}) == url


def test_missing_address_is_named() -> None:
    with pytest.raises(ConfigurationError, match="AMQP_URL"):
        address({})


@pytest.mark.parametrize("url", ["redis://127.0.0.1", "127.0.0.1:5672", "amqp://", "amqp://secret@host:port"])
def test_wrong_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigurationError, match="AMQP_URL is not") as refused:
        address({"AMQP_URL": url})
    assert "secret" not in str(refused.value)


def test_stack_says_what_to_install_where_rabbitmq_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    options = Options(tmp_path, "postgresql://none@/none", profile=Profile.RABBITMQ)
    with pytest.raises(RabbitmqMissing, match="apt-get install --no-install-recommends rabbitmq-server"):
        Stack(options)
