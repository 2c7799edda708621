"""What is Redis's own: its keys and shards, and what a killed or late worker leaves behind."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from redis import Redis

from local.redis_server import RedisServer
from shared.topology import TOPOLOGY, Subscription, subscriptions
from tests.contract.messages import TIMEOUT_SECONDS, take, take_one
from tests.contract.redis_running import message, publish, running
from tests.contract.transports import ATTEMPTS, as_it_is, connect_redis, quick
from transport import redis_layout as layout
from transport.connect import Transport
from transport.port import Queue, Taken
from transport.redis_server import connect_server
from transport.redis_streams import RedisQueue, RedisTopic

SMS = quick(TOPOLOGY["sms"].subscription)
DEAD = quick(TOPOLOGY["sms"].dead_letter_subscription)
SHARDED = msgspec.structs.replace(SMS, shards=3)


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def client(shared_server: RedisServer) -> Iterator[Redis]:
    """A client of a server that is empty."""
    with closing(Redis.from_url(shared_server.url)) as client:
        client.flushall()
        yield client


@pytest.fixture
def transport(shared_server: RedisServer, client: Redis) -> Iterator[Transport]:  # noqa: ARG001 - empties the server
    with closing(connect_redis(shared_server.url)) as transport:
        yield transport


def test_keys_of_a_subscription_share_a_hash_tag() -> None:
    for subscription in [*subscriptions(), SHARDED]:
        tags = [{key.partition("}")[0] for key in shard} for shard in layout.shards_of(subscription)]
        assert all(len(each) == 1 for each in tags)
        assert len({tag for each in tags for tag in each}) == subscription.shards
    assert layout.shards_of(SHARDED)[2] == (
        "{notifications-sms:2}:messages",
        "{notifications-sms:2}:retry",
        "{notifications-sms:2}:bodies",
    )


@pytest.mark.parametrize("subscription", [SMS, SHARDED], ids=["one shard", "three shards"])
def test_a_node_of_a_cluster_accepts_every_command(tmp_path: Path, subscription: Subscription) -> None:
    """A cluster refuses a transaction, a script or a command whose keys are in different slots."""
    with running(tmp_path, "--cluster-enabled", "yes") as server:
        with closing(Redis.from_url(server.url)) as client:
            client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)  # type: ignore[no-untyped-call]  # published so
            while client.execute_command("CLUSTER INFO")["cluster_state"] != "ok":  # type: ignore[no-untyped-call]
                time.sleep(0.05)
        connected = connect_server({"REDIS_URL": server.url})
        topic, queue = RedisTopic(connected, [subscription], as_it_is), RedisQueue(connected, subscription)
        texts = [f"{number}" for number in range(30)]
        assert [len(batch) for batch in topic.publish([message(text) for text in texts])] == [30]
        once: list[Taken] = []
        while len(once) < 30:
            once += take(queue, 7)
        assert sorted(each.received.data.decode() for each in once) == sorted(texts)
        for each in once[:10]:
            queue.again(each, 0.1)
        queue.bury(once[10])
        queue.done(once[11:])
        twice: list[Taken] = []
        while len(twice) < 10:
            twice += take(queue, 7)
        assert {each.received.attempt for each in twice} == {2}
        queue.done(twice)
        assert take_one(RedisQueue(connected, DEAD)).received.dead_after == 1
        connected.epoch()
        connected.close()


def test_messages_are_spread_over_the_shards_by_the_id_of_their_delivery(
    shared_server: RedisServer, client: Redis
) -> None:
    connected = connect_server({"REDIS_URL": shared_server.url})
    sent = [message(f"{number}") for number in range(300)]
    for _ in RedisTopic(connected, [SHARDED], as_it_is).publish(sent):
        pass
    lengths = [client.xlen(shard.messages) for shard in layout.shards_of(SHARDED)]
    assert sum(lengths) == 300
    assert min(lengths) > 60
    queue, got = RedisQueue(connected, SHARDED), list[Taken]()
    while len(got) < 300:
        taken = take(queue, 2)
        assert len(taken) <= 2
        queue.done(taken)
        got += taken
    assert sorted(each.received.data for each in got) == sorted(each.data for each in sent)
    connected.close()


def test_a_subscription_keeps_its_messages_when_it_gets_more_shards(
    transport: Transport, shared_server: RedisServer
) -> None:
    publish(transport, "before")
    connected = connect_server({"REDIS_URL": shared_server.url})
    assert take_one(RedisQueue(connected, SHARDED)).received.data == b"before"
    connected.close()


DIES = """
import os, sys
from tests.contract.transports import connect_redis, quick
queue = connect_redis(sys.argv[1]).queue(quick("notifications-sms"))
while not (taken := queue.take(10, 1.0)):
    pass
print(len(taken), flush=True)
sys.stdin.read()
"""


def test_another_worker_claims_what_a_killed_process_held(transport: Transport, shared_server: RedisServer) -> None:
    publish(transport, *(f"held {number}" for number in range(5)))
    command = [sys.executable, "-c", DIES, shared_server.url]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "5\n"
        process.send_signal(signal.SIGKILL)
    queue, got = transport.queue(SMS), list[Taken]()
    while len(got) < 5:
        got += take(queue, 2)
    assert {each.received.data for each in got} == {f"held {number}".encode() for number in range(5)}
    assert {each.received.attempt for each in got} == {2}


def test_attempts_add_up_over_retries_and_dead_workers(transport: Transport) -> None:
    publish(transport, "often")
    queue = transport.queue(SMS)
    attempts = []
    for settle in (queue.again, None, queue.again, None):
        taken = take_one(queue)
        attempts.append(taken.received.attempt)
        if settle:
            settle(taken, 0.0)
    assert attempts == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "settle",
    [lambda queue, taken: queue.again(taken, 0.0), lambda queue, taken: queue.bury(taken)],
    ids=["again", "bury"],
)
def test_a_worker_that_is_too_late_changes_nothing(
    transport: Transport, client: Redis, settle: Callable[[Queue, Taken], None]
) -> None:
    publish(transport, "slow")
    queue = transport.queue(SMS)
    slow = take_one(queue)
    claimed = take_one(queue)
    settle(queue, slow)
    assert client.zcard(layout.shards_of(SMS)[0].retry) == 0
    assert client.exists(layout.shards_of(DEAD)[0].messages) == 0
    queue.done([claimed])
    assert client.xlen(layout.shards_of(SMS)[0].messages) == 0


def test_nothing_stays_of_a_message_that_was_retried_and_done_or_buried(transport: Transport, client: Redis) -> None:
    publish(transport, "done", "buried")
    queue, dead = transport.queue(SMS), transport.queue(DEAD)
    for _ in range(ATTEMPTS - 1):
        for _ in range(2):
            queue.again(take_one(queue), 0.0)
    for _ in range(2):
        taken = take_one(queue)
        if taken.received.data == b"done":
            queue.done([taken])
        else:
            queue.bury(taken)
    letter = take_one(dead)
    assert (letter.received.data, letter.received.dead_after) == (b"buried", ATTEMPTS)
    dead.done([letter])
    assert [client.xlen(shard.messages) for each in (SMS, DEAD) for shard in layout.shards_of(each)] == [0, 0]
    assert client.exists(*layout.shards_of(SMS)[0][1:]) == 0


def test_wake_lets_a_take_return_long_before_its_time(transport: Transport) -> None:
    queue = transport.queue(SMS)
    queue.wake()
    began = time.monotonic()
    assert queue.take(1, TIMEOUT_SECONDS) == []
    assert time.monotonic() - began < TIMEOUT_SECONDS / 4
