import gc
import json
import time
from datetime import UTC, datetime
from http.cookiejar import Cookie

import pytest
from standardwebhooks import Webhook

from functions.runtime.provider import Rejected, Sent
from shared.envelope import Delivery
from shared.errors import CredentialsRefused, Retryable
from shared.reasons import Reason
from shared.webhook_secrets import derive, origin_of
from tests.factories import make_delivery
from tests.providers.adapters import OTHER_SECRET, SIGNING_SECRET, TIMEOUT_SECONDS, webhook
from tests.providers.server import HANG_UP, Answer, ScriptedServer


def delivery_to(recipient: str, **config: object) -> Delivery:
    return make_delivery("webhook", recipient=recipient, config=config)


def test_receiver_can_verify_the_signature(server: ScriptedServer) -> None:
    delivery = delivery_to(f"{server.url}/hook?x=1")
    assert webhook().send(delivery) == Sent("http", delivery.delivery_id)
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.headers["Content-Type"]) == ("POST", "/hook?x=1", "application/json")
    assert asked.headers["Host"] == server.url.removeprefix("http://")
    secret = derive(SIGNING_SECRET, origin_of(server.url))
    assert Webhook(secret).verify(asked.body, dict(asked.headers.items())) == {"amount": 10}


def test_webhook_id_is_the_same_at_every_attempt(server: ScriptedServer) -> None:
    delivery = delivery_to(server.url)
    webhook().send(delivery)
    webhook().send(delivery)
    assert {asked.headers["webhook-id"] for asked in server.asked} == {delivery.delivery_id}


def test_config_sets_url_method_headers_and_secret(server: ScriptedServer) -> None:
    config = {"url": f"{server.url}/bot", "method": "put", "headers": {"X-Chat": "7"}, "secret_ref": "TELEGRAM_SECRET"}
    webhook().send(delivery_to("https://elsewhere.example", **config))
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.headers["X-Chat"]) == ("PUT", "/bot", "7")
    Webhook(OTHER_SECRET).verify(asked.body, dict(asked.headers.items()))


def test_body_of_the_config_is_filled_in_and_signed(server: ScriptedServer) -> None:
    template = {
        "text": "{title}: {text}",
        "event": "{body}",
        "all": ["in {body}", "{event_type} of {user_id}", "{unknown} {}", 7, None, {"{title}": "{created_at}"}],
    }
    content = {"body": {"title": 'A "quoted" title', "text": "{title}", "n": 1}}
    delivery = make_delivery(
        "webhook", recipient="https://ignored.example", config={"url": server.url, "body": template}, content=content
    )
    webhook().send(delivery)
    (asked,) = server.asked
    assert asked.json == {
        "text": 'A "quoted" title: {title}',
        "event": content["body"],
        "all": [
            'in {"title":"A \\"quoted\\" title","text":"{title}","n":1}',
            "payment of ada",
            "{unknown} {}",
            7,
            None,
            {"{title}": "2026-03-01T12:00:00+00:00"},
        ],
    }
    Webhook(derive(SIGNING_SECRET, origin_of(server.url))).verify(asked.body, dict(asked.headers.items()))


def test_config_cannot_replace_the_signature_or_the_host(server: ScriptedServer) -> None:
    forged = {"Webhook-Id": "forged", "HOST": "forged.example"}
    delivery = delivery_to(server.url, headers=forged)
    webhook().send(delivery)
    (asked,) = server.asked
    assert asked.headers.get_all("Host") == [server.url.removeprefix("http://")]
    assert asked.headers.get_all("webhook-id") == [delivery.delivery_id]


@pytest.mark.parametrize(
    ("secret", "reason", "detail"),
    [
        ("", Reason.SECRET_MISSING, "WEBHOOK_CHAT is not set"),
        *(
            (secret, Reason.SECRET_MALFORMED, "WEBHOOK_CHAT is not whsec_ and base64")
            for secret in ("whsec_", "whsec_a", "whsec_ab-_ab-_", f"shared:{SIGNING_SECRET}")
        ),
    ],
)
def test_secret_that_only_one_channel_names_wrongly_is_no_alert_and_rejected_once(
    server: ScriptedServer, secret: str, reason: Reason, detail: str
) -> None:
    delivery = delivery_to(server.url, url=server.url, secret_ref="WEBHOOK_CHAT")
    answer = webhook(WEBHOOK_CHAT=secret).send(delivery)
    assert (answer, server.asked) == (Rejected("http", reason, detail), [])


def test_secret_may_lack_its_padding(server: ScriptedServer) -> None:
    webhook(WEBHOOK_CHAT="whsec_QUJDRA").send(delivery_to(server.url, url=server.url, secret_ref="WEBHOOK_CHAT"))
    (asked,) = server.asked
    Webhook("whsec_QUJDRA==").verify(asked.body, dict(asked.headers.items()))


def test_missing_secret_of_all_channels_raises_an_alert(server: ScriptedServer) -> None:
    with pytest.raises(CredentialsRefused, match="WEBHOOK_SIGNING_SECRET is not set"):
        webhook(WEBHOOK_SIGNING_SECRET="").send(delivery_to(server.url))
    assert server.asked == []


@pytest.mark.parametrize(
    "secret", ["whsec_", "whsec_a", f"{SIGNING_SECRET} whsec_é", f"{SIGNING_SECRET} shared:whsec_ab-_ab-_"]
)
def test_malformed_secret_raises_an_alert_that_does_not_contain_it(server: ScriptedServer, secret: str) -> None:
    with pytest.raises(CredentialsRefused, match=r"^WEBHOOK_SIGNING_SECRET is not whsec_ and base64$"):
        webhook(WEBHOOK_SIGNING_SECRET=secret).send(delivery_to(server.url))
    assert server.asked == []


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, Reason.REFUSED),
        (401, Reason.REFUSED),
        (403, Reason.REFUSED),
        (410, Reason.GONE),
        (302, Reason.REDIRECTED),
    ],
)
def test_permanent_refusal_is_rejected(server: ScriptedServer, status: int, reason: Reason) -> None:
    server.answers = [Answer(status, headers={"Location": f"{server.url}/elsewhere"})]
    assert webhook().send(delivery_to(server.url)) == Rejected("http", reason, str(status))
    assert len(server.asked) == 1, "redirects are not followed: they could lead into our own network"


def test_redirect_to_a_malformed_url_is_rejected_like_any_other(server: ScriptedServer) -> None:
    server.answers = [Answer(302, headers={"Location": "http://a:port/"})]
    assert webhook().send(delivery_to(server.url)) == Rejected("http", Reason.REDIRECTED, "302")


def test_cookies_of_a_receiver_are_not_kept(server: ScriptedServer) -> None:
    server.answers = [Answer(headers={"Set-Cookie": f"a={'x' * 1000}; Path=/"})]
    provider = webhook()
    provider.send(delivery_to(server.url))
    assert [each for each in gc.get_objects() if isinstance(each, Cookie)] == []


@pytest.mark.parametrize(
    ("answer", "reason", "ambiguous"),
    [
        *((Answer(status), Reason.NOT_ACCEPTED_NOW, False) for status in (404, 405, 409, 421, 423)),
        (Answer(425), Reason.TOO_EARLY, False),
        (Answer(500), Reason.PROVIDER_ERROR, True),
        (Answer(502), Reason.PROVIDER_ERROR, True),
        (Answer(503), Reason.PROVIDER_ERROR, False),
        (Answer(520), Reason.PROVIDER_ERROR, True),
        (Answer(504), Reason.TIMEOUT, True),
        (HANG_UP, Reason.TIMEOUT, True),
    ],
)
def test_temporary_failure_is_retryable_and_not_repeated(
    server: ScriptedServer, answer: Answer, reason: Reason, *, ambiguous: bool
) -> None:
    server.answers = [answer]
    with pytest.raises(Retryable) as caught:
        webhook().send(delivery_to(server.url))
    assert (caught.value.reason, caught.value.ambiguous, len(server.asked)) == (reason, ambiguous, 1)


def test_receiver_that_drips_its_answer_is_cut_off_at_the_deadline(server: ScriptedServer) -> None:
    server.answers = [Answer(drip=True)]
    began = time.monotonic()
    with pytest.raises(Retryable) as caught:
        webhook().send(delivery_to(server.url))
    assert (caught.value.reason, caught.value.ambiguous) == (Reason.TIMEOUT, True)
    assert time.monotonic() - began < 3 * TIMEOUT_SECONDS, "no single read takes longer than the timeout of a read"


@pytest.mark.parametrize("host", ["a..b", "a..", "a" * 70, "."])
def test_host_that_dns_cannot_look_up_is_rejected(host: str) -> None:
    assert webhook().send(delivery_to(f"http://{host}/")) == Rejected("http", Reason.INVALID_URL)


@pytest.mark.parametrize("port", [-1, 0, 65536, 10**20])
def test_port_that_does_not_exist_is_rejected(port: int) -> None:
    assert webhook().send(delivery_to(f"http://127.0.0.1:{port}/")) == Rejected("http", Reason.INVALID_URL)


def test_headers_that_cannot_be_sent_are_rejected(server: ScriptedServer) -> None:
    assert webhook().send(delivery_to(server.url, headers={"X A": "a"})) == Rejected("http", Reason.INVALID_HEADERS)
    assert server.asked == []


def test_unresolved_host_is_retryable() -> None:
    with pytest.raises(Retryable, match="unresolved_host"):
        webhook().send(delivery_to("https://nobody.invalid/hook"))


@pytest.mark.parametrize("url", ["ftp://receiver.example", "not a url", "https://", "javascript:alert(1)"])
def test_url_that_is_not_http_is_rejected(url: str) -> None:
    assert webhook().send(delivery_to(url)) == Rejected("http", Reason.INVALID_URL)


def test_method_that_is_not_allowed_is_rejected(server: ScriptedServer) -> None:
    assert webhook().send(delivery_to(server.url, method="DELETE")) == Rejected("http", Reason.INVALID_METHOD)


def test_signature_contains_the_time_of_the_attempt(server: ScriptedServer) -> None:
    before = datetime.now(UTC)
    webhook().send(delivery_to(server.url))
    signed_at = datetime.fromtimestamp(int(server.asked[0].headers["webhook-timestamp"]), UTC)
    assert before.replace(microsecond=0) <= signed_at <= datetime.now(UTC)
    assert json.loads(server.asked[0].body) == {"amount": 10}
