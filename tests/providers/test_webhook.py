import json
from datetime import UTC, datetime

import httpx
import pytest
from standardwebhooks import Webhook

from functions.runtime.provider import Rejected, Sent
from functions.webhook.addresses import is_public
from functions.webhook.http import Http
from shared.envelope import Delivery
from shared.errors import CredentialsRefused, Retryable
from tests.factories import make_delivery
from tests.providers.server import HANG_UP, SILENCE, Answer, ScriptedServer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"
ENVIRON = {"WEBHOOK_SIGNING_SECRET": SECRET, "TELEGRAM_SECRET": OTHER, "WEBHOOK_ALLOW_PRIVATE_ADDRESSES": "true"}


def webhook(**environ: str) -> Http:
    return Http.from_env(ENVIRON | environ, timeout=httpx.Timeout(0.5))


def delivery_to(recipient: str, **config: object) -> Delivery:
    return make_delivery("webhook", recipient=recipient, config=config)


def test_a_request_is_sent_that_its_receiver_can_check(server: ScriptedServer) -> None:
    delivery = delivery_to(f"{server.url}/hook?x=1")
    assert webhook().send(delivery) == Sent("http", delivery.delivery_id)
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.headers["Content-Type"]) == ("POST", "/hook?x=1", "application/json")
    assert asked.headers["Host"] == server.url.removeprefix("http://")
    assert Webhook(SECRET).verify(asked.body, dict(asked.headers.items())) == {"amount": 10}


def test_the_id_is_the_same_at_every_attempt(server: ScriptedServer) -> None:
    delivery = delivery_to(server.url)
    webhook().send(delivery)
    webhook().send(delivery)
    assert {asked.headers["webhook-id"] for asked in server.asked} == {delivery.delivery_id}


def test_the_channels_config_gives_address_method_headers_and_secret(server: ScriptedServer) -> None:
    config = {"url": f"{server.url}/bot", "method": "put", "headers": {"X-Chat": "7"}, "secret_ref": "TELEGRAM_SECRET"}
    webhook().send(delivery_to("https://elsewhere.example", **config))
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.headers["X-Chat"]) == ("PUT", "/bot", "7")
    Webhook(OTHER).verify(asked.body, dict(asked.headers.items()))


def test_while_a_secret_is_replaced_receivers_of_both_can_check(server: ScriptedServer) -> None:
    webhook(WEBHOOK_SIGNING_SECRET=f"{OTHER} {SECRET}").send(delivery_to(server.url))
    (asked,) = server.asked
    for secret in (SECRET, OTHER):
        Webhook(secret).verify(asked.body, dict(asked.headers.items()))


def test_no_config_takes_the_place_of_the_signature_or_the_host(server: ScriptedServer) -> None:
    forged = {"Webhook-Id": "forged", "HOST": "forged.example"}
    webhook().send(delivery_to(server.url, headers=forged))
    (asked,) = server.asked
    assert asked.headers.get_all("Host") == [server.url.removeprefix("http://")]
    assert "forged" not in (asked.headers.get_all("webhook-id") or [])


def test_a_secret_that_is_not_there_raises_an_alert(server: ScriptedServer) -> None:
    with pytest.raises(CredentialsRefused, match="NOT_THERE"):
        webhook().send(delivery_to(server.url, secret_ref="NOT_THERE"))
    assert server.asked == []


@pytest.mark.parametrize("secret", ["whsec_", "whsec_a", f"{SECRET} whsec_é"])
def test_a_secret_that_is_none_raises_an_alert_and_is_not_told(server: ScriptedServer, secret: str) -> None:
    with pytest.raises(CredentialsRefused, match=r"^WEBHOOK_SIGNING_SECRET is not whsec_ and base64$"):
        webhook(WEBHOOK_SIGNING_SECRET=secret).send(delivery_to(server.url))
    assert server.asked == []


@pytest.mark.parametrize(
    ("status", "reason"),
    [(400, "refused"), (401, "refused"), (403, "refused"), (404, "refused"), (410, "gone"), (302, "redirected")],
)
def test_what_the_receiver_refuses_for_good_is_rejected(server: ScriptedServer, status: int, reason: str) -> None:
    server.answers = [Answer(status, headers={"Location": f"{server.url}/elsewhere"})]
    assert webhook().send(delivery_to(server.url)) == Rejected("http", reason, str(status))
    assert len(server.asked) == 1, "no redirect is followed: it could lead where no webhook may go"


@pytest.mark.parametrize(
    ("answer", "reason", "ambiguous"),
    [
        (Answer(429), "rate_limited", False),
        (Answer(500), "provider_error", False),
        (SILENCE, "timeout", True),
        (HANG_UP, "timeout", True),
    ],
)
def test_what_may_go_better_later_is_retryable_and_asked_once(
    server: ScriptedServer, answer: Answer, reason: str, *, ambiguous: bool
) -> None:
    server.answers = [answer]
    with pytest.raises(Retryable) as caught:
        webhook().send(delivery_to(server.url))
    assert (caught.value.reason, caught.value.ambiguous, len(server.asked)) == (reason, ambiguous, 1)


@pytest.mark.parametrize("host", ["a..b", "a" * 70, "."])
def test_a_host_that_no_name_server_could_be_asked_for_is_rejected(host: str) -> None:
    assert webhook().send(delivery_to(f"http://{host}/")) == Rejected("http", "invalid_url")


def test_headers_that_make_no_request_are_rejected(server: ScriptedServer) -> None:
    assert webhook().send(delivery_to(server.url, headers={"X A": "a"})) == Rejected("http", "invalid_headers")
    assert server.asked == []


def test_a_refused_connection_is_no_ambiguity(nowhere: str) -> None:
    with pytest.raises(Retryable) as caught:
        webhook().send(delivery_to(f"http://{nowhere}"))
    assert (caught.value.reason, caught.value.ambiguous) == ("unreachable", False)


def test_a_host_without_an_address_is_tried_again() -> None:
    with pytest.raises(Retryable, match="unresolved_host"):
        webhook().send(delivery_to("https://nobody.invalid/hook"))


@pytest.mark.parametrize("url", ["ftp://receiver.example", "not a url", "https://", "javascript:alert(1)"])
def test_what_is_no_address_of_the_web_is_rejected(url: str) -> None:
    assert webhook().send(delivery_to(url)) == Rejected("http", "invalid_url")


def test_an_unusual_method_is_rejected(server: ScriptedServer) -> None:
    assert webhook().send(delivery_to(server.url, method="DELETE")) == Rejected("http", "invalid_method")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_a_webhook_never_reaches_into_our_own_network(server: ScriptedServer, host: str) -> None:
    port = server.url.rpartition(":")[2]
    closed = webhook(WEBHOOK_ALLOW_PRIVATE_ADDRESSES="")
    assert closed.send(delivery_to(f"http://{host}:{port}/")) == Rejected("http", "forbidden_address")
    assert server.asked == []


# fmt: off
PRIVATE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254",  # noqa: S104 - nothing binds
    "172.16.0.1", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a00:1::", "fc00::1", "fd12::1", "fe80::1",
    "fe80::1%eth0", "ff02::1",
]
# fmt: on
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.215.14", "172.15.0.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_known_whatever_it_is_wrapped_in(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(address)


def test_the_signature_holds_the_time_of_the_attempt(server: ScriptedServer) -> None:
    before = datetime.now(UTC)
    webhook().send(delivery_to(server.url))
    signed_at = datetime.fromtimestamp(int(server.asked[0].headers["webhook-timestamp"]), UTC)
    assert before.replace(microsecond=0) <= signed_at <= datetime.now(UTC)
    assert json.loads(server.asked[0].body) == {"amount": 10}
