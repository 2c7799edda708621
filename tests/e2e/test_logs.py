"""No log of any process holds an address, a token, a content, a payload or a secret of what passed through."""

import json
import uuid
from collections.abc import Iterator

import pytest

from local.stack import Stack
from shared.topology import OUTCOMES_SUBSCRIPTION, TOPOLOGY
from tests.e2e.internals import postgres_only
from tests.e2e.stack_driver import StackDriver
from tests.e2e.waiting import eventually

pytestmark = [pytest.mark.e2e, postgres_only]

MARK = f"q{uuid.uuid4().hex[:12]}"
"""It is in everything personal that this module sends, and in nothing else."""
# The recipients' side: it shows what arrived.
SANDBOX = "sandbox.log"
PHONE = "+447700900719"


@pytest.fixture
def personal(driver: StackDriver) -> dict[str, str]:
    """Addresses of each channel type, by channel."""
    return {
        "email": f"{MARK}@example.com",
        "sms": PHONE,
        "push": f"device-token-{MARK}",
        "webhook": f"{driver.new_receiver()}?secret={MARK}",
    }


def lines_with(stack: Stack, *texts: str) -> Iterator[str]:
    logs = [path for path in sorted(stack.logs.glob("*.log")) if path.name != SANDBOX]
    assert {"publisher.log", "worker.log", "postgres.log"} <= {path.name for path in logs}
    for path in logs:
        for line in path.read_text(errors="replace").splitlines():
            if any(text.lower() in line.lower() for text in texts):
                yield f"{path.name}: {line[:400]}"


def send_everything(driver: StackDriver, to: dict[str, str]) -> list[str]:
    """Send over every channel, with a name in the payload and in the content."""
    user = f"u-{uuid.uuid4().hex}"
    profile = {"email": to["email"], "phone": to["sms"], "attributes": {"name": MARK}}
    driver.api.put(f"/v1/users/{user}", json=profile).raise_for_status()
    device = {"token": to["push"], "platform": "ios"}
    driver.api.post(f"/v1/users/{user}/devices", json=device).raise_for_status()
    content = {
        "email": {"subject": f"Hello {MARK}", "text": MARK},
        "sms": {"text": MARK},
        "push": {"title": MARK, "body": MARK},
        "inapp": {"title": MARK, "body": MARK},
        "webhook": {"body": {"name": MARK}},
    }
    fields = {"user_id": user, "payload": {"name": MARK}}
    return [
        driver.send(channel, to.get(channel), content={channel: of_channel}, **fields)
        for channel, of_channel in content.items()
    ]


def break_everything(driver: StackDriver, to: dict[str, str]) -> None:
    """Requests and messages that end in errors of every component."""
    big = {"user_id": "u1", "event_type": "payment", "channels": ["email"], "payload": {"name": MARK}}
    for body in (
        big | {"to": {"email": f"{MARK} is no address"}},
        big | {"content": {"email": {MARK: MARK}}},
        big | {"payload": {"name": f"{MARK}\0"}},
        big | {"template_name": MARK},
        big | {"channels": [MARK]},
    ):
        assert driver.api.post("/v1/notifications", json=body).status_code in (400, 422)
    driver.api.post("/v1/notifications", content=f'{{"user_id": "{MARK}'.encode())
    template = {"content": {"inapp": {"title": "{{ payload.name | int / 0 }}"}}}
    driver.api.put("/v1/templates/broken", json=template)
    driver.api.post("/v1/notifications", json=big | {"template_name": "broken", "channels": ["inapp"]})
    for channel, other in TOPOLOGY.items():
        driver.sql(
            "insert into transport.messages (subscription, data, attributes) values (%s, %s, '{}')",
            other.subscription,
            f'{{"v": 1, "type": "delivery", "channel": "{channel}", "recipient": "{to.get(channel, MARK)}"}}'.encode(),
        )
    driver.sql(
        "insert into transport.messages (subscription, data, attributes) values (%s, %s, '{}')",
        OUTCOMES_SUBSCRIPTION,
        f'{{"v": 1, "detail": "{MARK}"}}'.encode(),
    )


@pytest.mark.usefixtures("closed_breakers")
def test_logs_hold_nothing_personal(driver: StackDriver, personal: dict[str, str]) -> None:
    for notification_id in send_everything(driver, personal):
        assert driver.closed_delivery(notification_id)["status"] == "sent"
    for channel, address in personal.items():
        arrived = [each | {"recipient": ""} for each in driver.arrivals(address.partition("?")[0])]
        assert MARK in json.dumps(arrived), f"No text passed through {channel}, so no log could hold it."
    for status in (401, 429, 500, 503):
        for channel in personal:
            fault = {"channel_type": channel, "rate": 1, "status": status}
            driver.sandbox.put("/faults", json=fault).raise_for_status()
        send_everything(driver, personal)
    eventually(lambda: logged(driver, "delivery.attempt_failed"), "a failed attempt to be logged")
    driver.sandbox.delete("/faults").raise_for_status()
    break_everything(driver, personal)
    eventually(lambda: logged(driver, "message.undecodable"), "an undecodable message to be logged")
    assert list(lines_with(driver.stack, MARK, PHONE, PHONE.removeprefix("+44"))) == []


def logged(driver: StackDriver, event: str) -> bool:
    log = driver.stack.child("worker").log
    return f'"event":"{event}"' in log.read_text(errors="replace")


def test_a_text_that_is_logged_is_found(driver: StackDriver) -> None:
    """The grep works: ids of notifications are logged, and they are no personal data."""
    notification_id = driver.send("inapp")
    driver.closed_delivery(notification_id)
    assert list(lines_with(driver.stack, notification_id))
