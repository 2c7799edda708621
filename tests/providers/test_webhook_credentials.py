"""Credentials of a webhook's receiver: named in the channel's config, filled in by the function only."""

import pytest

from functions.runtime.provider import Rejected, Sent
from shared.envelope import Delivery
from shared.reasons import Reason
from tests.factories import make_delivery
from tests.providers.adapters import SIGNING_SECRET, webhook
from tests.providers.server import ScriptedServer


def delivery_with(**config: object) -> Delivery:
    return make_delivery("webhook", recipient="https://ignored.example", config=config)


def test_secret_is_filled_into_the_url(server: ScriptedServer) -> None:
    delivery = delivery_with(url=f"{server.url}/bot{{secret}}/send?room=7", url_secret_ref="WEBHOOK_CHAT")
    sent = webhook(WEBHOOK_CHAT=f"{server.url} 7:abc/def").send(delivery)
    assert sent == Sent("http", delivery.delivery_id)
    assert server.asked[0].path == "/bot7:abc/def/send?room=7"


def test_secret_is_sent_in_a_header(server: ScriptedServer) -> None:
    delivery = delivery_with(url=server.url, header_secret_refs={"Authorization": "WEBHOOK_CHAT"})
    webhook(WEBHOOK_CHAT=f"{server.url} Bearer abc").send(delivery)
    assert server.asked[0].headers["Authorization"] == "Bearer abc"


@pytest.mark.parametrize(
    "config", [{"url_secret_ref": "WEBHOOK_CHAT"}, {"header_secret_refs": {"Authorization": "WEBHOOK_CHAT"}}], ids=str
)
def test_secret_is_sent_only_to_the_receiver_that_it_is_for(server: ScriptedServer, config: dict[str, object]) -> None:
    delivery = delivery_with(url=f"{server.url}/{{secret}}", **config)
    answer = webhook(WEBHOOK_CHAT="https://hooks.slack.com T0/B0/abc").send(delivery)
    assert answer == Rejected("http", Reason.SECRET_NOT_FOR_RECEIVER)
    assert server.asked == []


@pytest.mark.parametrize("name", ["WEBHOOK_CHAT", "WEBHOOK_SIGNING_SECRET"])
def test_secret_that_names_no_receiver_is_sent_to_nobody(server: ScriptedServer, name: str) -> None:
    delivery = delivery_with(url=server.url, header_secret_refs={"X-Token": name})
    answer = webhook(WEBHOOK_CHAT="abc", WEBHOOK_SIGNING_SECRET=SIGNING_SECRET).send(delivery)
    detail = f"{name} is not an origin, a space and the secret"
    assert answer == Rejected("http", Reason.SECRET_MALFORMED, detail)
    assert server.asked == []


def test_secret_that_turns_the_url_into_that_of_another_receiver_is_not_sent(server: ScriptedServer) -> None:
    url = server.url.replace("//", "//{secret}@")
    secret = f"{server.url} other.example/"
    answer = webhook(WEBHOOK_CHAT=secret).send(delivery_with(url=url, url_secret_ref="WEBHOOK_CHAT"))
    assert (answer, server.asked) == (Rejected("http", Reason.INVALID_URL), [])


def test_missing_secret_is_a_fault_of_the_channel(server: ScriptedServer) -> None:
    answer = webhook().send(delivery_with(url=f"{server.url}/{{secret}}", url_secret_ref="WEBHOOK_CHAT"))
    assert answer == Rejected("http", Reason.SECRET_MISSING, "WEBHOOK_CHAT is not set")


def test_secret_is_never_filled_into_a_producers_url(server: ScriptedServer) -> None:
    recipient = f"{server.url}/{{secret}}"
    delivery = make_delivery("webhook", recipient=recipient, config={"url_secret_ref": "WEBHOOK_CHAT"})
    webhook(WEBHOOK_CHAT=f"{server.url} abc").send(delivery)
    assert "abc" not in server.asked[0].path
