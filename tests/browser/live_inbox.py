"""One user's inbox in a running installation, which a test fills and reads from outside of the browser."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from functions.postgres.inbox import PostgresInbox
from tests.browser.installation import Installation
from tests.browser.shop import Shop
from tests.contract.inboxes import ENTRY
from tests.publisher.own_inbox import OwnInbox, now
from tests.publisher.running import notification
from tests.publisher.topic import waiting_for


@dataclass
class LiveInbox(OwnInbox):
    """The inbox of a user of this test's own. ``installation`` and ``shop`` serve every test."""

    installation: Installation = field(kw_only=True)
    shop: Shop = field(kw_only=True)
    store: PostgresInbox = field(kw_only=True)

    def deliver(self, *titles: str, **content: str) -> list[str]:
        """Send a notification for each title, one after the other. Returns their ids when they are in the inbox."""
        return [self._deliver(title, content) for title in titles]

    def deliver_many(self, count: int) -> None:
        """Send so many notifications at once. The worker delivers them in any order."""
        content = {"inapp": {"title": "Title", "body": "A body that takes a line."}}
        batch = [notification(user_id=self.user_id, content=content) for _ in range(count)]
        before = self.counts()[1]
        response = self.publisher.http.post("/v1/notifications/batch", json={"notifications": batch})
        assert response.status_code == 202, response.text
        waiting_for(lambda: self.counts()[1] == before + count, f"{count} deliveries")

    def put(self, *titles: str, at: datetime | None = None, **fields: Any) -> None:
        """Write entries into the inbox as no notification can: without its checks, or delivered at another time.

        The publisher does not know them, so it accepts marks of them and changes nothing.
        """
        for title in titles:
            new = replace(ENTRY, notification_id=str(uuid4()), delivered_at=at or now(), title=title, body="", url=None)
            self.store.put(self.user_id, replace(new, **fields))

    def _deliver(self, title: str, content: dict[str, str]) -> str:
        id_ = self.publisher.accept(user_id=self.user_id, content={"inapp": {"title": title, **content}})
        waiting_for(lambda: self.store.holds(self.user_id, id_), f"{title} to be delivered")
        return id_

    def titles(self, tab: str = "all") -> list[str]:
        return [entry["title"] for entry in self.read(tab=tab)["entries"]]
