"""The sandbox's provider stubs respond as the real providers do."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from local.sandbox.test_recipients import RECIPIENTS, Treatment
from local.sandbox.test_recipients import TestRecipient as Recipient  # pytest collects classes named Test…
from shared.webhook_secrets import derive, origin_of
from tests.sandboxed import SECRET, SENDGRID_KEY, TWILIO, an_email, running_sandbox

STATUS_OF_TREATMENT: dict[str, dict[Treatment, int]] = {
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
    """The sandbox, without arrivals and faults."""
    process.delete("/arrivals")
    process.delete("/faults")
    return process


def send(sandbox: httpx.Client, channel_type: str, recipient: str, text: str = "Hello") -> httpx.Response:
    match channel_type:
        case "email":
            headers = {"Authorization": f"Bearer {SENDGRID_KEY}"}
            return sandbox.post("/v3/mail/send", headers=headers, json=an_email(recipient, text))
        case "sms":
            form = {"To": recipient, "From": "+15005550006", "Body": text}
            return sandbox.post(f"/2010-04-01/Accounts/{TWILIO[0]}/Messages.json", auth=TWILIO, data=form)
        case "push":
            headers = {"Authorization": f"Bearer {sandbox.post('/token').json()['access_token']}"}
            message = {"token": recipient, "notification": {"title": text, "body": ""}}
            return sandbox.post("/v1/projects/p/messages:send", headers=headers, json={"message": message})
        case "webhook":
            return sandbox.post(recipient, json={"text": text})
        case _:
            raise ValueError(channel_type)


def arrivals(sandbox: httpx.Client, since: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.get("/arrivals", params={"since": since}).json()["arrivals"]
    return found


@pytest.mark.parametrize("case", RECIPIENTS, ids=lambda case: f"{case.channel_type}-{case.recipient}")
def test_test_recipient_gets_its_treatment(sandbox: httpx.Client, case: Recipient) -> None:
    statuses = STATUS_OF_TREATMENT[case.channel_type]
    if case.treatment == "hang":
        with httpx.Client(base_url=sandbox.base_url, timeout=0.5) as impatient, pytest.raises(httpx.ReadTimeout):
            send(impatient, case.channel_type, case.recipient)
        assert [arrival["answered"] for arrival in arrivals(sandbox)] == [False]
    else:
        for _ in range(case.times or 3):
            assert send(sandbox, case.channel_type, case.recipient).status_code == statuses[case.treatment]
        assert arrivals(sandbox) == []
    if case.times is not None:
        assert send(sandbox, case.channel_type, case.recipient).status_code == statuses["accept"]


@pytest.mark.parametrize(
    ("channel_type", "recipient"),
    [("email", "ada@example.com"), ("sms", "+447700900123"), ("push", "device"), ("webhook", "/webhook/any")],
)
def test_accepted_message_arrives_with_the_providers_id(
    sandbox: httpx.Client, channel_type: str, recipient: str
) -> None:
    response = send(sandbox, channel_type, recipient, "Hello, Ada")

    (arrival,) = arrivals(sandbox)
    assert (arrival["channel_type"], arrival["recipient"]) == (channel_type, recipient)
    assert arrival["provider_message_id"] in f"{response.headers} {response.text}"
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
def test_wrong_credentials_get_401(sandbox: httpx.Client, path: str, headers: dict[str, str]) -> None:
    assert sandbox.post(path, headers=headers, json={}).status_code == 401
    assert arrivals(sandbox) == []


@pytest.mark.parametrize(("letters", "status"), [(2027, 200), (2028, 400)])
def test_push_of_more_than_4096_bytes_is_refused(sandbox: httpx.Client, letters: int, status: int) -> None:
    headers = {"Authorization": f"Bearer {sandbox.post('/token').json()['access_token']}"}
    shown = {"title": "Grüße", "body": "x" * 21}  # 7 and 21 bytes, under names of 9
    message = {"token": "device", "notification": shown, "data": {"notes": "ü" * letters}}

    response = sandbox.post("/v1/projects/p/messages:send", headers=headers, json={"message": message})

    assert (response.status_code, len(arrivals(sandbox))) == (status, 1 if status == 200 else 0)
    if status == 400:
        error = response.json()["error"]
        assert (error["status"], error["details"][0]["errorCode"]) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
        assert error["message"] == "Message is too large. The maximum is 4K (4096 bytes)."


def test_fault_rate_is_exact(sandbox: httpx.Client) -> None:
    sandbox.put("/faults", json={"channel_type": "webhook", "rate": 0.25, "status": 500}).raise_for_status()

    statuses = [send(sandbox, "webhook", "/webhook/any").status_code for _ in range(20)]

    assert (statuses.count(500), statuses.count(200)) == (5, 15)
    assert len(arrivals(sandbox)) == 15


def test_arrivals_since_a_number_are_only_the_newer_ones(sandbox: httpx.Client) -> None:
    send(sandbox, "webhook", "/webhook/any", "first")
    last = arrivals(sandbox)[-1]["number"]
    send(sandbox, "webhook", "/webhook/any", "second")

    assert [arrival["content"]["body"]["text"] for arrival in arrivals(sandbox, last)] == ["second"]


@pytest.mark.parametrize(
    ("body", "expected"), [('{"amount":10}', "valid"), ('{"amount":1000}', "invalid: No matching signature found")]
)
def test_webhook_signature_is_verified(sandbox: httpx.Client, body: str, expected: str) -> None:
    now = datetime.now(UTC)
    signature = Webhook(derive(SECRET, origin_of(str(sandbox.base_url)))).sign("m1", now, '{"amount":10}')
    headers = {"webhook-id": "m1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}

    sandbox.post("/webhook/any", content=body, headers=headers)

    assert arrivals(sandbox)[0]["content"]["signature"] == expected
