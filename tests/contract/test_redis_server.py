"""What is demanded of a Redis server, the epoch that shows what it has lost, and its replica."""

import signal
import time
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis

from local.processes import free_port
from local.redis_server import READY_SECONDS, RedisServer
from shared.errors import ConfigurationError
from shared.topology import TOPOLOGY
from tests.contract.messages import TIMEOUT_SECONDS, take
from tests.contract.redis_running import publish, running
from tests.contract.transports import connect_redis, quick
from transport import redis_layout as layout
from transport.port import TransportError
from transport.redis_server import connect_server

SMS = quick(TOPOLOGY["sms"].subscription)


@pytest.mark.parametrize(
    ("environ", "fault"),
    [
        ({}, "Set these environment variables: REDIS_URL"),
        ({"REDIS_URL": "http://127.0.0.1"}, "must begin with redis://"),
        ({"REDIS_URL": "redis://127.0.0.1:port"}, "cannot be read"),
    ],
)
def test_an_address_that_is_missing_or_unusable_is_a_configuration_error(environ: dict[str, str], fault: str) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        connect_server(environ)


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [("appendonly", "no", "appendonly yes"), ("maxmemory-policy", "allkeys-lru", "maxmemory-policy noeviction")],
)
def test_a_server_that_may_lose_messages_is_refused_unless_that_is_accepted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, setting: str, value: str, remedy: str
) -> None:
    with running(tmp_path, f"--{setting}", value) as server:
        with pytest.raises(ConfigurationError, match=f"Set `{remedy}`.*REDIS_ACCEPTS_LOSS=true"):
            connect_redis(server.url)
        with closing(connect_redis(server.url, REDIS_ACCEPTS_LOSS="true")) as transport:
            publish(transport, "accepted")
    assert "transport.may_lose_messages" in [vars(record).get("event") for record in caplog.records]


def test_a_server_that_does_not_tell_its_settings_is_refused(tmp_path: Path) -> None:
    with running(tmp_path) as server, closing(Redis.from_url(server.url)) as client:
        client.acl_setuser("managed", enabled=True, passwords=["+secret"], keys=["*"], commands=["+@all", "-config"])
        url = server.url.replace("127.0.0.1", "managed:secret@127.0.0.1")
        with pytest.raises(ConfigurationError, match="refuses CONFIG GET"):
            connect_redis(url)
        connect_redis(url, REDIS_ACCEPTS_LOSS="true").close()


def test_a_server_that_was_away_at_the_start_is_examined_when_it_is_used(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "data", tmp_path / "redis.log", free_port(), ("--appendonly", "no"))
    with closing(connect_redis(server.url)) as transport:
        child = server.start()
        try:
            child.wait_ready(server.ready, READY_SECONDS)
            with pytest.raises(TransportError, match="appendonly yes"):
                publish(transport, "no")
        finally:
            child.stop()


def test_epoch_stays_until_the_server_loses_its_data_or_its_process(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "data", tmp_path / "redis.log", free_port())
    child = server.start()
    child.wait_ready(server.ready, READY_SECONDS)
    try:
        with closing(connect_redis(server.url)) as transport, closing(connect_redis(server.url)) as other:
            first = transport.epoch()
            assert first is not None
            assert other.epoch() == first
            time.sleep(1.5)  # everysec
            child.kill()
            with pytest.raises(TransportError):
                transport.epoch()
            child = server.start()
            child.wait_ready(server.ready, READY_SECONDS)
            restarted = transport.epoch()
            assert restarted is not None
            assert (restarted.data, restarted.process != first.process) == (first.data, True)
            with closing(Redis.from_url(server.url)) as client:
                client.flushall()
            emptied = transport.epoch()
            assert emptied is not None
            assert (emptied.data != first.data, emptied.process) == (True, restarted.process)
    finally:
        child.stop()


def test_a_replica_that_is_too_slow_is_logged_and_holds_up_no_message(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(tmp_path / "primary") as primary:
        replica_of = ("--replicaof", f"127.0.0.1 {primary.port}")
        server = RedisServer(tmp_path / "replica", tmp_path / "replica.log", free_port(), replica_of)
        replica = server.start()
        try:
            with closing(Redis.from_url(primary.url)) as client:
                deadline = time.monotonic() + TIMEOUT_SECONDS
                while client.info("replication").get("slave0", {}).get("state") != "online":
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            with closing(connect_redis(primary.url)) as transport:
                publish(transport, "confirmed")
                assert "transport.replica_slow" not in [vars(record).get("event") for record in caplog.records]
                with closing(Redis.from_url(server.url)) as client:
                    assert client.xlen(layout.shards_of(SMS)[0].messages) == 1
                replica.process.send_signal(signal.SIGSTOP)
                publish(transport, "unconfirmed")
                assert "transport.replica_slow" in [vars(record).get("event") for record in caplog.records]
                assert len(take(transport.queue(SMS), 2)) == 2
        finally:
            replica.kill()
