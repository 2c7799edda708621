"""How streams end, and what they survive: signals, expired tokens, readers that read nothing, a lost connection."""

import base64
import json
import signal
import socket
import struct
import time
from contextlib import ExitStack
from dataclasses import replace

import httpx
import psycopg
import pytest

from publisher_api.live.limits import LiveLimits
from tests.publisher.listening import Process, Protocol, Socket, Sse, each_protocol, put
from tests.publisher.own_inbox import OwnInbox, Worker, signed_token
from tests.publisher.running import Publisher, problem_of, serving
from tests.publisher.topic import waiting_for


def test_an_expired_token_ends_a_stream(own: OwnInbox) -> None:
    with Sse(own.publisher.url, signed_token(own.user_id, 3)) as listener:
        assert [listener.next().name for _ in range(3)] == ["snapshot", "expired", "end"]


def test_an_expired_token_ends_a_socket_with_its_code(own: OwnInbox) -> None:
    with Socket(own.publisher.url, signed_token(own.user_id, 3)) as listener:
        assert listener.next().name == "snapshot"
        assert listener.next()[:2] == ("end", 4401)


def test_a_socket_that_says_nothing_is_closed(publisher: Publisher) -> None:
    with serving(replace(publisher.settings, live=LiveLimits(hello=0.2))) as url, Socket(url, "", hello="") as listener:
        assert listener.next()[:2] == ("end", 4400)


@each_protocol
def test_an_idle_stream_has_a_beat_and_looks(own: OwnInbox, worker: Worker, protocol: Protocol) -> None:
    with (
        serving(replace(own.publisher.settings, live=LiveLimits(beat=0.2))) as url,
        protocol(url, own.token) as listener,
    ):
        assert [listener.next_or_beat().name for _ in range(3)] == ["snapshot", "beat", "beat"]
        listener.until(put(worker, own.user_id)[0])
        # No notification comes with this, so only a beat can find it.
        own.publisher.sql("update state.inbox set version = version + 6 where user_id = %s", own.user_id)
        own.publisher.sql("update state.inbox_heads set version = version + 6 where user_id = %s", own.user_id)
        assert listener.next().name == "changes"


@each_protocol
def test_every_publisher_sends_every_change(own: OwnInbox, worker: Worker, protocol: Protocol) -> None:
    other = Process(own.publisher.settings)
    with (
        other.running(),
        protocol(own.publisher.url, own.token) as first,
        protocol(other.url, own.token) as second,
    ):
        assert first.next().data == second.next().data
        for _ in range(3):
            [arrived] = put(worker, own.user_id)
            assert first.until(arrived).data == second.until(arrived).data


def test_a_signal_ends_every_stream_at_once(own: OwnInbox, worker: Worker) -> None:
    publisher = Process(own.publisher.settings)
    put(worker, own.user_id, 3)
    with publisher.running() as process, ExitStack() as streams:
        events = [streams.enter_context(Sse(publisher.url, own.token)) for _ in range(5)]
        sockets = [streams.enter_context(Socket(publisher.url, own.token)) for _ in range(5)]
        for listener in (*events, *sockets):
            assert listener.next().name == "snapshot"
        process.send_signal(signal.SIGTERM)
        asked_at = time.monotonic()
        assert {listener.next()[:2] for listener in events} == {("end", None)}
        assert {listener.next()[:2] for listener in sockets} == {("end", 1012)}
        assert time.monotonic() - asked_at < 2
        # uvicorn would wait for a stream that hangs, and then for ever.
        assert process.wait(timeout=15) in (0, -signal.SIGTERM)


@each_protocol
def test_changes_arrive_after_the_connection_that_listens_was_lost(
    own: OwnInbox, worker: Worker, protocol: Protocol
) -> None:
    with protocol(own.publisher.url, own.token) as listener:
        listener.next()
        with psycopg.connect(own.publisher.database_url) as connection:
            ended = connection.execute(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                " where datname = current_database() and query = 'listen inbox'"
            ).fetchone()
        assert ended is not None
        assert ended[0] >= 1
        [missed] = put(worker, own.user_id)
        assert listener.until(missed).counts == (1, 1)
        waiting_for(lambda: is_listening(own.publisher), "the publisher to listen again")
        [arrived] = put(worker, own.user_id)
        assert listener.until(arrived).counts == (2, 2)


def is_listening(publisher: Publisher) -> bool:
    return bool(
        publisher.sql("select from pg_stat_activity where datname = current_database() and query = 'listen inbox'")
    )


LARGE = "x" * 1_000_000


@pytest.mark.parametrize("upgrade", [False, True], ids=["sse", "socket"])
def test_a_client_that_reads_nothing_is_disconnected_and_delays_no_other(
    own: OwnInbox, worker: Worker, *, upgrade: bool
) -> None:
    limits = LiveLimits(beat=0.2, blocked=1.0)
    with (
        serving(replace(own.publisher.settings, live=limits)) as url,
        blocked_reader(url, own.token, upgrade=upgrade) as slow,
        Sse(url, own.token) as listener,
    ):
        listener.next()
        for _ in range(40):  # more than the buffers of both sockets hold
            [arrived] = put(worker, own.user_id, body=LARGE)
            assert listener.until(arrived).name == "changes"
        time.sleep(2 * limits.blocked)
        received = 0
        while chunk := slow.recv(1_000_000):
            received += len(chunk)
        assert 0 < received < 30 * len(LARGE), "it ended before everything was sent"


@pytest.mark.parametrize("upgrade", [False, True], ids=["sse", "socket"])
def test_a_client_that_reads_nothing_does_not_delay_a_stop(own: OwnInbox, worker: Worker, *, upgrade: bool) -> None:
    publisher = Process(own.publisher.settings)
    with (
        publisher.running() as process,
        blocked_reader(publisher.url, own.token, upgrade=upgrade),
        Sse(publisher.url, own.token) as listener,
    ):
        listener.next()
        for _ in range(20):  # more than the buffers of both sockets hold
            [arrived] = put(worker, own.user_id, body=LARGE)
            assert listener.until(arrived).name == "changes"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=8) in (0, -signal.SIGTERM)


def blocked_reader(url: str, token: str, *, upgrade: bool) -> socket.socket:
    """A connection that asks for the stream, and does not read it."""
    host, _, port = url.removeprefix("http://").partition(":")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(20)
    connection.connect((host, int(port)))
    request = f"GET /v1/inbox/live HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
    if upgrade:
        request += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        request += f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}\r\n"
    connection.sendall(f"{request}\r\n".encode())
    if upgrade:
        hello = json.dumps({"token": token}).encode()
        # A final frame of text, masked with zeros, whose length is in two bytes (RFC 6455, section 5.2).
        connection.sendall(b"\x81" + bytes([0x80 | 126]) + struct.pack("!H", len(hello)) + bytes(4) + hello)
    return connection


def test_without_postgres_a_stream_is_refused_for_now(publisher: Publisher) -> None:
    away = replace(publisher.settings, database_url="host=127.0.0.1 port=1 connect_timeout=1")
    with serving(away) as url:
        with pytest.raises(httpx.HTTPStatusError) as refused:
            Sse(url, signed_token("ada", 60))
        assert problem_of(refused.value.response)[:2] == (503, "unavailable")
        with Socket(url, signed_token("ada", 60)) as listener:
            assert listener.next()[:2] == ("end", 1013)
