"""A backlog of deliveries over every channel type, each to a recipient of its own, and the account of what arrived."""

import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Self

from shared.outcomes import OPEN
from shared.topology import CHANNEL_TYPES
from tests.e2e.stack_driver import StackDriver
from tests.e2e.waiting import eventually

_SENDS_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Backlog:
    """The deliveries of one user. ``sent_to`` has the recipient of each notification; None for the inbox."""

    driver: StackDriver
    user_id: str
    sent_to: dict[str, str | None]

    @classmethod
    def accepted(cls, driver: StackDriver, count: int) -> Self:
        """Send ``count`` notifications in one request. The providers are slow, so that a kill interrupts some."""
        for channel_type in ("email", "sms", "push", "webhook"):
            driver.delay_provider(channel_type, _SENDS_SECONDS)
        user_id, hook = f"crowd-{uuid.uuid4().hex}", driver.new_receiver()
        numbers = uuid.uuid4().int
        items, sent_to = [], []
        for number in range(count):
            channel = CHANNEL_TYPES[number % len(CHANNEL_TYPES)]
            recipient = {
                "email": f"{user_id}-{number}@example.com",
                "sms": f"+4477{(numbers + number) % 10**8:08}",
                "push": f"{user_id}-{number}",
                "webhook": f"{hook}-{number}",
            }.get(channel)
            to = {"to": {channel: recipient}} if recipient else {}
            items.append({"user_id": user_id, "event_type": "payment", "channels": [channel], "payload": {}} | to)
            sent_to.append(recipient)
        response = driver.api.post("/v1/notifications/batch", json=items).raise_for_status().json()
        assert response["accepted"] == count
        ids = [each["notification_id"] for each in response["results"]]
        return cls(driver, user_id, dict(zip(ids, sent_to, strict=True)))

    def statuses(self) -> Counter[str]:
        rows = self.driver.sql(
            "select status from deliveries join notifications using (notification_id) where user_id = %s", self.user_id
        )
        return Counter(row["status"] for row in rows)

    def wait_until_queued(self) -> None:
        count = len(self.sent_to)
        eventually(lambda: self.statuses()["queued"] == count, "the backlog to be published")

    def wait_until_sent(self, more_than: int) -> None:
        eventually(lambda: self.statuses()["sent"] > more_than, f"more than {more_than} deliveries to be sent")

    def wait_until_all_arrived(self) -> int:
        """Wait for every outcome. Every delivery was sent and arrived, and more than once only as reported.

        Returns how many were reported as possible duplicates.
        """
        eventually(lambda: not OPEN & set(self.statuses()), "every delivery to have an outcome")
        assert self.statuses() == {"sent": len(self.sent_to)}
        rows = self.driver.sql(
            """
            select notification_id::text, possible_duplicate, kind
              from deliveries join notifications using (notification_id) where user_id = %s
            """,
            self.user_id,
        )
        arrivals = Counter(each["recipient"] for each in self.driver.all_arrivals())
        base = self.driver.stack.config.sandbox_url
        missing, unreported = [], []
        for row in rows:
            if recipient := self.sent_to[row["notification_id"]]:
                count = arrivals[recipient.removeprefix(base)]
                missing += [row] * (count == 0)
                unreported += [row] * (count > 1 and not row["possible_duplicate"])
        assert (missing, unreported) == ([], [])
        in_inbox = {row["notification_id"] for row in rows if row["kind"] == "inapp"}
        assert set(self.driver.internals.inbox(self.user_id)) == in_inbox
        return sum(row["possible_duplicate"] for row in rows)
