"""A new connection costs a TLS handshake, which takes longer than the request."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from threading import Barrier

import pytest

from functions.runtime.provider import Provider, Sent
from shared.topology import TOPOLOGY
from tests.factories import make_delivery
from tests.providers import adapters
from tests.providers.server import Answer, ScriptedServer

_PATIENCE = 20.0  # seconds


@pytest.mark.parametrize(
    ("channel_type", "at", "accepted"),
    [
        (
            "email",
            lambda url: nullcontext(adapters.sendgrid(url, _PATIENCE)),
            Answer(202, headers={"X-Message-Id": "sg-1"}),
        ),
        (
            "sms",
            lambda url: nullcontext(adapters.twilio(url, timeout_seconds=_PATIENCE)),
            Answer.json(201, {"sid": "SM1"}),
        ),
        (
            "push",
            lambda url: adapters.fcm(url, timeout_seconds=_PATIENCE),
            Answer.json(200, {"name": "projects/p/messages/1"}),
        ),
    ],
)
def test_each_thread_of_a_channel_type_keeps_a_connection(
    server: ScriptedServer, channel_type: str, at: Callable[[str], AbstractContextManager[Provider]], accepted: Answer
) -> None:
    threads = TOPOLOGY[channel_type].concurrency
    server.answers = [accepted]
    server.together = Barrier(threads, timeout=_PATIENCE)
    with at(server.url) as provider, ThreadPoolExecutor(threads) as pool:
        sent = list(pool.map(provider.send, [make_delivery(channel_type) for _ in range(3 * threads)]))
    assert all(isinstance(each, Sent) for each in sent)
    assert server.connections == threads
