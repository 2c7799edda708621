"""What the transport over RabbitMQ promises beyond the contract of every transport."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import msgspec
import pytest
from aio_pika.abc import AbstractChannel

from local.rabbitmq_server import RabbitmqMissing, RabbitmqServer, installed
from shared.topology import TOPOLOGY, subscriptions
from tests.contract.rabbitmq import Rabbitmq, attempts_of, next_from, publish
from tests.contract.transports import DEADLINE_SECONDS, notifications, quick
from transport.port import Encoded, PublishError, PublishRefused, TransportError
from transport.rabbitmq import RabbitmqTransport
from transport.rabbitmq_topology import DELIVERY_LIMIT

SMS = quick(TOPOLOGY["sms"].subscription)
PUSH = quick(TOPOLOGY["push"].subscription)
DEAD = quick(TOPOLOGY["sms"].dead_letter_subscription)


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbitmq]:
    """A RabbitMQ of this module's own, because the tests change its queues."""
    if not installed():
        pytest.skip(str(RabbitmqMissing()))
    folder = tmp_path_factory.mktemp("rabbitmq")
    with Rabbitmq(RabbitmqServer(folder / "data", folder / "rabbitmq.log")).running() as rabbitmq:
        yield rabbitmq


@pytest.fixture
def transport(rabbitmq: Rabbitmq) -> Iterator[RabbitmqTransport]:
    with closing(rabbitmq.connect()) as transport:
        yield transport


@pytest.fixture(autouse=True)
def drained(rabbitmq: Rabbitmq) -> None:
    """Leaves no message of another test."""
    for subscription in (SMS, DEAD):
        rabbitmq.purge(subscription.name)


# First, with a subscription of its own: RabbitMQ 3.10 cannot use a queue that was created just before it was killed.
def test_after_a_restart_of_the_server_old_deliveries_settle_nothing_and_come_again(
    rabbitmq: Rabbitmq, transport: RabbitmqTransport
) -> None:
    queue = transport.queue(PUSH)
    publish(transport, "old", channel="push")
    taken = next_from(queue)
    rabbitmq.kill()
    queue.done([taken])
    rabbitmq.start()
    queue.again(taken, 0.0)
    queue.bury(taken)
    assert attempts_of(queue, b"old") == 2


@pytest.mark.parametrize(("asked", "longest"), [(0.0, 0.25), (0.3, 0.5), (0.5, 0.5), (0.7, 1.0), (1.5, 2.0)])
def test_a_message_waits_for_the_next_step_that_is_not_shorter_than_asked(
    transport: RabbitmqTransport, asked: float, longest: float
) -> None:
    queue = transport.queue(SMS)
    publish(transport, "waits")
    taken = next_from(queue)
    began = time.monotonic()
    queue.again(taken, asked)
    assert attempts_of(queue, b"waits") == 2
    assert longest <= time.monotonic() - began < longest + 1.0


def test_attempts_before_and_after_a_wait_are_counted_together(
    rabbitmq: Rabbitmq, transport: RabbitmqTransport
) -> None:
    publish(transport, "counted")
    with closing(rabbitmq.connect()) as dying:
        queue = dying.queue(SMS)
        queue.again(next_from(queue), 0.0)
        assert next_from(queue).received.attempt == 2
    queue = transport.queue(SMS)
    taken = next_from(queue)
    assert taken.received.attempt == 3
    queue.bury(taken)
    assert next_from(transport.queue(DEAD)).received.dead_after == 3


def test_rabbitmq_itself_makes_a_dead_letter_of_what_is_delivered_too_often(
    rabbitmq: Rabbitmq, transport: RabbitmqTransport
) -> None:
    publish(transport, "refused")

    async def refuse(channel: AbstractChannel) -> int:
        queue = await channel.get_queue(SMS.name)
        refused = 0
        while message := await queue.get(fail=False):
            await message.reject(requeue=True)
            refused += 1
        return refused

    assert rabbitmq.do(refuse) == DELIVERY_LIMIT + 1
    assert next_from(transport.queue(DEAD)).received.dead_after == DELIVERY_LIMIT + 1


def test_a_batch_is_in_the_queue_when_it_is_yielded(rabbitmq: Rabbitmq, transport: RabbitmqTransport) -> None:
    messages = [Encoded(b"%d" % number, {"channel": "sms"}) for number in range(1200)]
    batches = notifications(transport).publish(messages)
    stored = len(next(batches))
    assert rabbitmq.messages_in(SMS.name) == stored == 500
    assert sum(map(len, batches)) == 700
    assert rabbitmq.messages_in(SMS.name) == 1200


def test_a_message_without_its_queue_is_an_error_and_the_next_call_creates_the_queue(
    rabbitmq: Rabbitmq, transport: RabbitmqTransport
) -> None:
    publish(transport, "first")
    rabbitmq.delete_queue(SMS.name)
    with pytest.raises(PublishError, match="no queue"):
        publish(transport, "unroutable")
    publish(transport, "second")
    assert attempts_of(transport.queue(SMS), b"second") == 1


def test_a_message_that_no_subscription_wants_is_dropped(transport: RabbitmqTransport) -> None:
    publish(transport, "no subscriber", channel="fax")
    publish(transport, "somebody")
    assert attempts_of(transport.queue(SMS), b"somebody") == 1


def test_an_event_type_of_any_length_and_script_is_routed(transport: RabbitmqTransport) -> None:
    long = Encoded(b"long", {"channel": "sms", "event_type": "*.#. é✓" * 100})
    assert list(notifications(transport).publish([long])) == [[long]]
    taken = next_from(transport.queue(SMS))
    assert taken.received.attributes == long.attributes


def test_a_queue_that_was_declared_differently_is_a_clear_error(
    rabbitmq: Rabbitmq, transport: RabbitmqTransport
) -> None:
    rabbitmq.delete_queue(SMS.name)
    rabbitmq.do(lambda channel: channel.declare_queue(SMS.name, durable=True))
    with pytest.raises(PublishError, match=f"(?s)declared differently.*{SMS.name}"):
        publish(transport, "never")
    rabbitmq.delete_queue(SMS.name)
    publish(transport, "now")
    assert attempts_of(transport.queue(SMS), b"now") == 1


def test_credentials_that_rabbitmq_refuses_are_told_apart(rabbitmq: Rabbitmq) -> None:
    with (
        closing(RabbitmqTransport(rabbitmq.url.replace("guest:guest", "guest:wrong"))) as refused,
        pytest.raises(PublishRefused),
    ):
        notifications(refused).check()


def test_a_consumer_leaves_what_it_cannot_work_on_to_others(rabbitmq: Rabbitmq, transport: RabbitmqTransport) -> None:
    publish(transport, *(f"message {number}" for number in range(200)))
    first = transport.queue(SMS)
    assert next_from(first)
    time.sleep(0.5)
    assert rabbitmq.messages_in(SMS.name) == 200 - SMS.concurrency


def test_what_a_living_process_does_not_settle_comes_again_after_the_deadline(transport: RabbitmqTransport) -> None:
    queue = transport.queue(SMS)
    publish(transport, "forgotten")
    taken, began = next_from(queue), time.monotonic()
    assert attempts_of(queue, b"forgotten") == 2
    assert time.monotonic() - began >= DEADLINE_SECONDS
    queue.done([taken])
    queue.again(taken, 0.0)
    queue.bury(taken)
    assert queue.take(1, 0.5) == []


def test_while_the_server_answers_nothing_publishing_fails_within_seconds_and_works_again_afterwards(
    rabbitmq: Rabbitmq, transport: RabbitmqTransport
) -> None:
    publish(transport, "before")
    with rabbitmq.frozen():
        began = time.monotonic()
        with pytest.raises(PublishError, match="did not answer"):
            publish(transport, "during")
        assert time.monotonic() - began < 8
    publish(transport, "after")


def test_a_consumer_creates_the_queue_of_every_wait_before_a_message_needs_it(
    rabbitmq: Rabbitmq, transport: RabbitmqTransport
) -> None:
    (email,) = (each for each in subscriptions() if each.name == TOPOLOGY["email"].subscription)
    assert email.backoff_seconds == (10, 600)

    with closing(transport.queue(email)) as queue:
        assert queue.take(1, 0.0) == []

    assert [rabbitmq.messages_in(f"{email.name}.retry.{step}") for step in (15, 30, 60, 120, 300, 600, 720)] == [0] * 7


def test_a_wait_whose_queue_does_not_answer_holds_up_no_other_message(
    rabbitmq: Rabbitmq, transport: RabbitmqTransport
) -> None:
    with closing(transport.queue(SMS)) as queue, ThreadPoolExecutor(1) as other:
        publish(transport, "first")
        taken = next_from(queue)
        with rabbitmq.suspended(f"{SMS.name}.retry.0.25"):
            waiting = other.submit(queue.again, taken, 0.2)
            publish(transport, "second")
            second = next_from(queue)
            assert not waiting.done()
            queue.done([second])
            with pytest.raises(TransportError, match="did not answer"):
                waiting.result()
    assert second.received.data == b"second"


def test_a_message_whose_wait_cannot_be_published_comes_again_after_it_and_not_at_the_deadline(
    rabbitmq: Rabbitmq, transport: RabbitmqTransport
) -> None:
    webhook = msgspec.structs.replace(quick(TOPOLOGY["webhook"].subscription), ack_deadline_seconds=600)
    with closing(transport.queue(webhook)) as queue:
        publish(transport, "first", channel="webhook")
        taken = next_from(queue)
        with rabbitmq.suspended(f"{webhook.name}.retry.0.25"):
            with pytest.raises(TransportError, match="did not answer"):
                queue.again(taken, 0.2)
            assert attempts_of(queue, b"first") == 2
