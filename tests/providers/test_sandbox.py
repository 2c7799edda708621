"""The sandbox answers as the providers do, good and bad."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from local.sandbox.test_recipients import RECIPIENTS, Magic
from tests.sandboxed import SECRET, SENDGRID_KEY, TWILIO, an_email, running_sandbox

STATUS_OF_TREATMENT = {
    "email": {"refuse": 400, "limit": 429, "down": 503, "deny": 401, "accept": 202},
    "sms": {"refuse": 400, "opt_out": 400, "limit": 429, "down": 503, "deny": 401, "accept": 201},
    "push": {"refuse": 404, "limit": 429, "down": 503, "deny": 401, "accept": 200},
    "webhook": {"refuse": 410, "limit": 429, "down": 503, "deny": 401, "accept": 200},
}


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        running_sandbox(tmp_path_factory.mktemp("sandbox")) as url,
        httpx.Client(base_url=url, timeout=10) as client,
    ):
        yield client


@pytest.fixture
def sandbox(process: httpx.Client) -> httpx.Client:
    """The sandbox, with nothing arrived and nothing failing."""
    process.delete("/arrivals")
    process.delete("/faults")
    return process


def send(sandbox: httpx.Client, channel: str, recipient: str, words: str = "Hello") -> httpx.Response:
    match channel:
        case "email":
            headers = {"Authorization": f"Bearer {SENDGRID_KEY}"}
            return sandbox.post("/v3/mail/send", headers=headers, json=an_email(recipient, words))
        case "sms":
            form = {"To": recipient, "From": "+15005550006", "Body": words}
            return sandbox.post(f"/2010-04-01/Accounts/{TWILIO[0]}/Messages.json", auth=TWILIO, data=form)
        case "push":
            headers = {"Authorization": f"Bearer {sandbox.post('/token').json()['access_token']}"}
            message = {"token": recipient, "notification": {"title": words, "body": ""}}
            return sandbox.post("/v1/projects/p/messages:send", headers=headers, json={"message": message})
        case _:
            return sandbox.post(recipient, json={"words": words})


def arrivals(sandbox: httpx.Client, since: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.get("/arrivals", params={"since": since}).json()["arrivals"]
    return found


@pytest.mark.parametrize("magic", RECIPIENTS, ids=lambda magic: f"{magic.channel}-{magic.recipient}")
def test_a_magic_recipient_is_treated_as_its_row_says(sandbox: httpx.Client, magic: Magic) -> None:
    statuses = STATUS_OF_TREATMENT[magic.channel]
    if magic.treatment == "hang":
        with httpx.Client(base_url=sandbox.base_url, timeout=0.5) as hasty, pytest.raises(httpx.ReadTimeout):
            send(hasty, magic.channel, magic.recipient)
        assert [arrival["answered"] for arrival in arrivals(sandbox)] == [False]
    else:
        for _ in range(magic.times or 3):
            assert send(sandbox, magic.channel, magic.recipient).status_code == statuses[magic.treatment]
        assert arrivals(sandbox) == []
    if magic.times is not None:
        assert send(sandbox, magic.channel, magic.recipient).status_code == statuses["accept"]


@pytest.mark.parametrize(
    ("channel", "recipient"),
    [("email", "ada@example.com"), ("sms", "+447700900123"), ("push", "device"), ("webhook", "/webhook/any")],
)
def test_what_is_accepted_arrives_under_the_providers_id(sandbox: httpx.Client, channel: str, recipient: str) -> None:
    answer = send(sandbox, channel, recipient, "Hello, Ada")

    (arrival,) = arrivals(sandbox)
    assert (arrival["channel"], arrival["recipient"]) == (channel, recipient)
    assert arrival["provider_message_id"] in f"{answer.headers} {answer.text}"
    assert "Hello, Ada" in str(arrival["content"])


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v3/mail/send", {"Authorization": "Bearer SG.wrong"}),
        (f"/2010-04-01/Accounts/{TWILIO[0]}/Messages.json", {"Authorization": "Basic d3Jvbmc6d3Jvbmc="}),
        ("/v1/projects/p/messages:send", {"Authorization": "Bearer wrong"}),
        ("/v1/projects/p/messages:send", {}),
    ],
)
def test_wrong_credentials_are_answered_with_401(sandbox: httpx.Client, path: str, headers: dict[str, str]) -> None:
    assert sandbox.post(path, headers=headers, json={}).status_code == 401
    assert arrivals(sandbox) == []


@pytest.mark.parametrize(("letters", "status"), [(2027, 200), (2028, 400)])
def test_a_push_may_weigh_4096_bytes_with_its_names(sandbox: httpx.Client, letters: int, status: int) -> None:
    headers = {"Authorization": f"Bearer {sandbox.post('/token').json()['access_token']}"}
    shown = {"title": "Grüße", "body": "x" * 21}  # 7 and 21 bytes, under names of 9
    message = {"token": "device", "notification": shown, "data": {"words": "ü" * letters}}

    answer = sandbox.post("/v1/projects/p/messages:send", headers=headers, json={"message": message})

    assert (answer.status_code, len(arrivals(sandbox))) == (status, 1 if status == 200 else 0)
    if status == 400:
        error = answer.json()["error"]
        assert (error["status"], error["details"][0]["errorCode"]) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
        assert error["message"] == "Message is too large. The maximum is 4K (4096 bytes)."


def test_a_rate_of_failures_is_kept_exactly(sandbox: httpx.Client) -> None:
    sandbox.put("/faults", json={"channel": "webhook", "rate": 0.25, "status": 500}).raise_for_status()

    statuses = [send(sandbox, "webhook", "/webhook/any").status_code for _ in range(20)]

    assert (statuses.count(500), statuses.count(200)) == (5, 15)
    assert len(arrivals(sandbox)) == 15


def test_arrivals_can_be_read_on_from_the_last_number(sandbox: httpx.Client) -> None:
    send(sandbox, "webhook", "/webhook/any", "first")
    last = arrivals(sandbox)[-1]["number"]
    send(sandbox, "webhook", "/webhook/any", "second")

    assert [arrival["content"]["body"]["words"] for arrival in arrivals(sandbox, last)] == ["second"]


@pytest.mark.parametrize(
    ("body", "verdict"), [('{"amount":10}', "valid"), ('{"amount":1000}', "invalid: No matching signature found")]
)
def test_a_webhooks_signature_is_checked(sandbox: httpx.Client, body: str, verdict: str) -> None:
    now = datetime.now(UTC)
    signature = Webhook(SECRET).sign("m1", now, '{"amount":10}')
    headers = {"webhook-id": "m1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}

    sandbox.post("/webhook/any", content=body, headers=headers)

    assert arrivals(sandbox)[0]["content"]["signature"] == verdict
