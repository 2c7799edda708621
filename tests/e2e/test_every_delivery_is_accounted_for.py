"""accepted = sent + failed + suppressed + expired + canceled + dead, while providers fail and processes are killed."""

import json
import re
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from local.sandbox.test_recipients import RECIPIENTS
from shared.outcomes import OPEN
from shared.topology import CHANNEL_TYPES
from tests.e2e.internals import every_profile
from tests.e2e.stack_driver import StackDriver
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.e2e

ORDINARY_PER_CHANNEL_TYPE = 60
PRODUCERS = 8
SCHEDULED = 4
# Long enough that the publisher accepts these although it is killed meanwhile.
EXPIRING_AFTER = timedelta(seconds=30)
# Between the time of such a delivery and its expiry, no sweep can publish it.
SHORTEST = timedelta(microseconds=1)
ENDS = {"sent", "failed", "suppressed", "expired", "canceled", "dead"}
_TOKEN = re.compile(r"token-[0-9a-f]{32}")
_CONTENT_FIELDS: dict[str, tuple[str, ...]] = {
    "email": ("subject", "text"),
    "inapp": ("title",),
    "push": ("title",),
    "sms": ("text",),
    "webhook": ("body",),
}


@dataclass(frozen=True, slots=True)
class Order:
    """One notification to be sent. Its content holds ``token``, so that its arrivals can be counted."""

    token: str
    channel_type: str
    to: str | None
    schedule: Mapping[str, str] = field(default_factory=dict)

    def request(self, user_id: str) -> dict[str, Any]:
        fields = _CONTENT_FIELDS[self.channel_type]
        content = {field: {"token": self.token} if field == "body" else self.token for field in fields}
        return {
            "user_id": user_id,
            "event_type": "payment",
            "channels": [self.channel_type],
            "payload": {},
            "to": {self.channel_type: self.to} if self.to else {},
            "content": {self.channel_type: content},
            **self.schedule,
        }


def orders(sandbox_url: str) -> list[Order]:
    """Ordinary recipients of every channel type, each test recipient once between them, and some without an address."""
    ordinary = [
        (channel_type, address(channel_type, number, sandbox_url))
        for number in range(ORDINARY_PER_CHANNEL_TYPE)
        for channel_type in CHANNEL_TYPES
    ]
    failing = [(each.channel_type, absolute(each.recipient, sandbox_url)) for each in RECIPIENTS]
    no_address: list[tuple[str, str | None]] = [("email", None)] * 3
    every = len(ordinary) // len(failing)
    mixed = [[*ordinary[n * every : (n + 1) * every], failing[n]] for n in range(len(failing))]
    rest = ordinary[len(failing) * every :]
    pairs = [pair for portion in mixed for pair in portion] + rest + no_address
    return [order_for(pair) for pair in pairs]


def scheduled_orders(sandbox_url: str) -> list[Order]:
    """Some that will have expired when they are due, and some that are not due during the test."""
    recipients: list[tuple[str, str | None]] = [
        ("webhook", f"{sandbox_url}/webhook/scheduled{number}") for number in range(SCHEDULED)
    ]
    return [
        *(order_for(each, deliver_at=EXPIRING_AFTER, expires_at=EXPIRING_AFTER + SHORTEST) for each in recipients),
        *(order_for(each, deliver_at=timedelta(days=1)) for each in recipients),
    ]


def order_for(recipient: tuple[str, str | None], **schedule: timedelta) -> Order:
    """An order for ``recipient``. The times of ``schedule`` are from now on."""
    channel_type, to = recipient
    now = datetime.now(UTC)
    times = {name: (now + after).isoformat() for name, after in schedule.items()}
    return Order(f"token-{uuid.uuid4().hex}", channel_type, to, times)


def address(channel_type: str, number: int, sandbox_url: str) -> str | None:
    return {
        "email": f"person{number}@example.com",
        "sms": f"+447700900{number:03}",
        "push": f"device-{number}",
        "webhook": f"{sandbox_url}/webhook/receiver{number}",
    }.get(channel_type)


def absolute(recipient: str, sandbox_url: str) -> str:
    return sandbox_url + recipient if recipient.startswith("/") else recipient


def accept(api: httpx.Client, order: Order, user_id: str) -> str:
    """Send as a careful producer does: repeat with one idempotency key until there is a response."""

    def attempt() -> str | None:
        try:
            response = api.post(
                "/v1/notifications", json=order.request(user_id), headers={"Idempotency-Key": order.token}
            )
        except httpx.TransportError:
            return None
        if response.status_code in (409, 503):
            return None
        assert response.status_code == 202, response.text
        notification_id: str = response.json()["notification_id"]
        return notification_id

    return eventually(attempt, f"{order} to be accepted")


def kills(driver: StackDriver) -> list[Callable[[], None]]:
    """What is killed, one after the other: the publisher, two functions, the transport's server, and Postgres."""
    servers = sorted({driver.internals.transport_server, "postgres"})
    return [
        lambda: kill_the_publisher(driver),
        lambda: driver.kill_while_sending("email"),
        lambda: kill_sms_and_keep_its_claims(driver),
        *(partial(driver.kill_server, server) for server in servers),
    ]


def kill_the_publisher(driver: StackDriver) -> None:
    driver.kill("publisher")
    driver.stack.restart("publisher")


def kill_sms_and_keep_its_claims(driver: StackDriver) -> None:
    """Its claims hold for longer than the attempts last, so what it was sending becomes dead."""
    service = driver.internals.service_of("sms")
    driver.kill(service)
    driver.stack.restart(service)


@every_profile
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("closed_breakers")
def test_every_accepted_delivery_ends_once_and_every_duplicate_is_reported(driver: StackDriver) -> None:
    user_id = f"crowd-{uuid.uuid4().hex}"
    base = driver.stack.config.sandbox_url
    # In the first wave, so that they are accepted before they expire.
    scheduled, ordinary = scheduled_orders(base), orders(base)
    placed = [*scheduled, *ordinary]
    for channel_type in ("email", "sms", "push", "webhook"):
        fault = {"channel_type": channel_type, "rate": 0.1, "status": 503, "delay_seconds": 0.3}
        driver.sandbox.put("/faults", json=fault).raise_for_status()

    accepted: dict[str, str] = {}
    with ThreadPoolExecutor(PRODUCERS) as producers:
        to_kill = kills(driver)
        waves = [ordinary[number :: len(to_kill)] for number in range(len(to_kill))]
        waves[0] += scheduled
        for wave, kill in zip(waves, to_kill, strict=True):
            answers = [producers.submit(accept, driver.api, order, user_id) for order in wave]
            wait(answers, return_when=FIRST_COMPLETED)
            kill()
            accepted |= {order.token: answer.result() for order, answer in zip(wave, answers, strict=True)}
    cancel_scheduled(driver, user_id)

    eventually(
        lambda: not open_deliveries(driver, user_id),
        lambda: f"an outcome of {open_deliveries(driver, user_id)}",
        seconds=150,  # servers that restart on a busy machine
    )

    rows = deliveries_of(driver, user_id)
    assert len(set(accepted.values())) == len(placed)
    assert sorted(row["notification_id"] for row in rows) == sorted(accepted.values())
    statuses = Counter(row["status"] for row in rows)
    assert set(statuses) == ENDS, statuses
    assert statuses.total() == len(placed)
    assert (statuses["expired"], statuses["canceled"]) == (SCHEDULED, SCHEDULED)
    assert statuses["sent"] > len(placed) / 2, statuses

    by_id = {row["notification_id"]: row for row in rows}
    arrived = Counter(token for each in driver.all_arrivals() for token in _TOKEN.findall(json.dumps(each["content"])))
    unexplained = [
        (order, by_id[accepted[order.token]], arrived[order.token])
        for order in placed
        if order.channel_type != "inapp" and not explained(by_id[accepted[order.token]], times(order, arrived))
    ]
    assert unexplained == []
    assert set(driver.internals.inbox(user_id)) == {
        row["notification_id"] for row in rows if row["kind"] == "inapp" and row["status"] == "sent"
    }


def cancel_scheduled(driver: StackDriver, user_id: str) -> None:
    """Cancel what is not due during the test."""
    scheduled = driver.sql(
        "select notification_id from notifications where user_id = %s and deliver_at > now() + interval '1 hour'",
        user_id,
    )
    for row in scheduled:
        answer = driver.api.post(f"/v1/notifications/{row['notification_id']}/cancel")
        assert answer.json() == {"stopped": 1, "gone": 0}


def times(order: Order, arrived: Counter[str]) -> int:
    """How often an order arrived. An e-mail contains its token twice."""
    return arrived[order.token] // len(_CONTENT_FIELDS[order.channel_type])


def explained(row: dict[str, Any], arrivals: int) -> bool:
    """Whether a delivery arrived once if it was sent, else never; more often only as a reported possible duplicate."""
    once_if_sent = 1 if row["status"] == "sent" else 0
    return arrivals == once_if_sent or (row["possible_duplicate"] and arrivals >= once_if_sent)


def open_deliveries(driver: StackDriver, user_id: str) -> list[dict[str, Any]]:
    return [row for row in deliveries_of(driver, user_id) if row["status"] in OPEN]


def deliveries_of(driver: StackDriver, user_id: str) -> list[dict[str, Any]]:
    return driver.sql(
        """
        select notification_id::text, kind, status, reason, possible_duplicate, due_at, queued_at, sweep_at
          from deliveries join notifications using (notification_id) where user_id = %s
        """,
        user_id,
    )
