"""To which addresses a webhook is sent, and in which order."""

import httpx
import pytest

from functions.runtime.provider import Rejected
from functions.webhook import ssrf
from functions.webhook.exchange import Deadline, answer_to
from functions.webhook.ssrf import is_public
from shared.reasons import Reason
from tests.factories import make_delivery
from tests.providers.adapters import TIMEOUT_SECONDS, webhook
from tests.providers.server import HANG_UP, ScriptedServer

# fmt: off
PRIVATE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254",  # noqa: S104 - nothing binds
    "172.16.0.1", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a00:1::", "fc00::1", "fd12::1", "fe80::1",
    "fe80::1%eth0", "ff02::1",
    "192.0.0.8", "192.0.0.9", "192.88.99.1", "2002:c058:6301::", "2606:4700::5efe:c000:9", "3ffe::1",
    "64:ff9b:1::7f00:1", "64:ff9b:1::808:808", "64:ff9b::7f00:1", "fec0::1", "feff::1", "::127.0.0.1", "::8.8.8.8",
    "::ffff:0:127.0.0.1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2606:4700::5efe:7f00:1",
    "2606:4700::200:5efe:a9fe:a9fe", "100::1", "2001:db8::1", "3fff::1", "5f00::1", "4000::1", "2002:808:808::1",
    "2001:20::1",
]
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.215.14", "172.15.0.1", "2606:4700:4700::1111", "2a00:1450:4001:830::200e",
    "::ffff:8.8.8.8", "2606:4700::5efe:808:808",
]
# fmt: on


def test_next_address_of_a_host_is_tried_when_the_connection_is_refused(server: ScriptedServer) -> None:
    # Every address in 127.0.0.0/8 is this machine; the server listens on 127.0.0.1 only.
    request = httpx.Request("POST", server.url.replace("127.0.0.1", "receiver.example"))
    with Deadline(TIMEOUT_SECONDS) as deadline:
        answer = answer_to(httpx.HTTPTransport(), request, ["127.0.0.2", "127.0.0.1"], deadline, TIMEOUT_SECONDS)
    assert (answer.status, len(server.asked)) == (200, 1)


class OneAddressHangs(httpx.HTTPTransport):
    """A transport for which no connection to 127.0.0.2 can be made in time."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "127.0.0.2":
            raise httpx.ConnectTimeout("no answer", request=request)
        return super().handle_request(request)


def test_next_address_of_a_host_is_tried_when_the_connection_takes_too_long(server: ScriptedServer) -> None:
    request = httpx.Request("POST", server.url.replace("127.0.0.1", "receiver.example"))
    with Deadline(TIMEOUT_SECONDS) as deadline:
        answer = answer_to(OneAddressHangs(), request, ["127.0.0.2", "127.0.0.1"], deadline, TIMEOUT_SECONDS)
    assert (answer.status, len(server.asked)) == (200, 1)


def test_nothing_is_sent_after_the_deadline(server: ScriptedServer) -> None:
    with Deadline(0) as deadline, pytest.raises(httpx.ConnectTimeout):
        answer_to(httpx.HTTPTransport(), httpx.Request("POST", server.url), ["127.0.0.1"], deadline, TIMEOUT_SECONDS)
    assert server.asked == []


def test_no_other_address_is_tried_once_a_connection_was_made(server: ScriptedServer) -> None:
    server.answers = [HANG_UP]
    request = httpx.Request("POST", server.url)
    with Deadline(TIMEOUT_SECONDS) as deadline, pytest.raises(httpx.RemoteProtocolError):
        answer_to(httpx.HTTPTransport(), request, ["127.0.0.1", "127.0.0.1"], deadline, TIMEOUT_SECONDS)
    assert len(server.asked) == 1


def test_every_address_of_a_host_is_found_once() -> None:
    assert ssrf.resolve("127.0.0.1", 80, allow_private=True) == ["127.0.0.1"]
    assert "127.0.0.1" in ssrf.resolve("localhost", 80, allow_private=True)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_address_is_not_public_in_any_notation(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_private_address_is_rejected_and_never_connected_to(server: ScriptedServer, host: str) -> None:
    port = server.url.rpartition(":")[2]
    closed = webhook(WEBHOOK_ALLOW_PRIVATE_ADDRESSES="")
    assert closed.send(make_delivery("webhook", recipient=f"http://{host}:{port}/")) == Rejected(
        "http", Reason.FORBIDDEN_ADDRESS
    )
    assert server.asked == []
