"""The final account: accepted = sent + delivered + failed + suppressed + expired + canceled + dead, whatever dies."""

import json
import re
import uuid
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from local.sandbox.test_recipients import RECIPIENTS
from shared.outcomes import OPEN
from shared.topology import CHANNEL_TYPES
from tests.e2e.stack_driver import Journey, eventually

pytestmark = pytest.mark.journey

ORDINARY_PER_CHANNEL = 60
PRODUCERS = 8
_TOKEN = re.compile(r"token-[0-9a-f]{32}")
_WORDS: dict[str, tuple[str, ...]] = {
    "email": ("subject", "text"),
    "inapp": ("title",),
    "push": ("title",),
    "sms": ("text",),
    "webhook": ("body",),
}


@dataclass(frozen=True, slots=True)
class Order:
    """One notification to be sent. ``token`` is in its words, so that it is known again where it arrives."""

    token: str
    channel: str
    to: str | None

    def request(self, user_id: str) -> dict[str, Any]:
        words = {field: {"token": self.token} if field == "body" else self.token for field in _WORDS[self.channel]}
        return {
            "user_id": user_id,
            "event_type": "payment",
            "channels": [self.channel],
            "payload": {},
            "to": {self.channel: self.to} if self.to else {},
            "content": {self.channel: words},
        }


def orders(sandbox_url: str) -> list[Order]:
    """Ordinary people on every channel, between them each magic recipient, and some without an address."""
    ordinary = [(kind, address(kind, n, sandbox_url)) for n in range(ORDINARY_PER_CHANNEL) for kind in CHANNEL_TYPES]
    magic = [(each.channel, absolute(each.recipient, sandbox_url)) for each in RECIPIENTS]
    nowhere: list[tuple[str, str | None]] = [("email", None)] * 3
    every = len(ordinary) // len(magic)
    mixed = [[*ordinary[n * every : (n + 1) * every], magic[n]] for n in range(len(magic))]
    rest = ordinary[len(magic) * every :]
    pairs = [pair for portion in mixed for pair in portion] + rest + nowhere
    return [Order(f"token-{uuid.uuid4().hex}", kind, to) for kind, to in pairs]


def address(kind: str, number: int, sandbox_url: str) -> str | None:
    return {
        "email": f"person{number}@example.com",
        "sms": f"+447700900{number:03}",
        "push": f"device-{number}",
        "webhook": f"{sandbox_url}/webhook/receiver{number}",
    }.get(kind)


def absolute(recipient: str, sandbox_url: str) -> str:
    return sandbox_url + recipient if recipient.startswith("/") else recipient


def accept(api: httpx.Client, order: Order, user_id: str) -> str:
    """Send as a careful producer does: again and again under one key, until there is an answer."""

    def attempt() -> str | None:
        try:
            answer = api.post(
                "/v1/notifications", json=order.request(user_id), headers={"Idempotency-Key": order.token}
            )
        except httpx.TransportError:
            return None
        if answer.status_code in (409, 503):
            return None
        assert answer.status_code == 202, answer.text
        notification_id: str = answer.json()["notification_id"]
        return notification_id

    return eventually(attempt, f"{order} to be accepted")


def kill_the_publisher(journey: Journey) -> None:
    journey.stack.kill("publisher")
    journey.stack.restart("publisher")


def kill_sms(journey: Journey) -> None:
    """Its claims are held for longer than the attempts last, so what it was sending ends as dead."""
    journey.stack.kill("sms")
    journey.stack.restart("sms")


def kill_email_while_it_sends(journey: Journey) -> None:
    def sending() -> set[str]:
        keys = journey.sql("select delivery_id || '.' || round as key from deliveries where kind = 'email'")
        return journey.claimed() & {row["key"] for row in keys}

    eventually(sending, "the function to be sending e-mails")
    with journey.frozen("push_bridge"):
        journey.stack.kill("email")
        interrupted = sending()
        assert interrupted
        for key in interrupted:
            journey.let_the_lease_pass(key)
        journey.stack.restart("email")


@pytest.mark.timeout(240)
def test_after_faults_and_kills_each_delivery_has_one_end_and_each_arrival_is_admitted(journey: Journey) -> None:
    user_id = f"crowd-{uuid.uuid4().hex}"
    placed = orders(journey.stack.layout.sandbox_url)
    for channel in ("email", "sms", "push", "webhook"):
        fault = {"channel": channel, "rate": 0.1, "status": 503, "delay_seconds": 0.3}
        journey.sandbox.put("/faults", json=fault).raise_for_status()

    accepted: dict[str, str] = {}
    with ThreadPoolExecutor(PRODUCERS) as producers:
        kills = (kill_the_publisher, kill_email_while_it_sends, kill_sms)
        for number, kill in enumerate(kills):
            wave = placed[number :: len(kills)]
            answers = [producers.submit(accept, journey.api, order, user_id) for order in wave]
            wait(answers, return_when=FIRST_COMPLETED)
            kill(journey)
            accepted |= {order.token: answer.result() for order, answer in zip(wave, answers, strict=True)}

    eventually(lambda: not open_deliveries(journey, user_id), "every delivery to come to an end", seconds=70)

    rows = account(journey, user_id)
    assert len(set(accepted.values())) == len(placed)
    assert sorted(row["notification_id"] for row in rows) == sorted(accepted.values())
    ends = Counter(row["status"] for row in rows)
    assert ends.total() == len(placed)
    assert not set(ends) & OPEN
    assert {"sent", "failed", "suppressed", "dead"} <= set(ends)
    assert ends["sent"] > len(placed) / 2, ends

    by_id = {row["notification_id"]: row for row in rows}
    arrived = Counter(token for each in journey.all_arrivals() for token in _TOKEN.findall(json.dumps(each["content"])))
    unexplained = [
        (order, by_id[accepted[order.token]], arrived[order.token])
        for order in placed
        if order.channel != "inapp" and not explained(by_id[accepted[order.token]], times(order, arrived))
    ]
    assert unexplained == []
    inbox = {each.id for each in journey.firestore.collection("users").document(user_id).collection("inbox").stream()}
    assert inbox == {row["notification_id"] for row in rows if row["kind"] == "inapp" and row["status"] == "sent"}


def times(order: Order, arrived: Counter[str]) -> int:
    """How often an order arrived; an e-mail says its token twice."""
    return arrived[order.token] // len(_WORDS[order.channel])


def explained(row: dict[str, Any], arrivals: int) -> bool:
    """Sent is once; more often, or without the word ``sent``, only where a possible duplicate is admitted."""
    once_if_sent = 1 if row["status"] == "sent" else 0
    return arrivals == once_if_sent or (row["possible_duplicate"] and arrivals >= once_if_sent)


def open_deliveries(journey: Journey, user_id: str) -> int:
    return sum(row["status"] in OPEN for row in account(journey, user_id))


def account(journey: Journey, user_id: str) -> list[dict[str, Any]]:
    return journey.sql(
        """
        select notification_id::text, kind, status, reason, possible_duplicate
          from deliveries join notifications using (notification_id) where user_id = %s
        """,
        user_id,
    )
