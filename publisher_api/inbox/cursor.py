"""The place in an inbox after which a page begins, as text for the API. Pure."""

import base64
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

from publisher_api.inbox.model import Entry
from publisher_api.refusal import invalid


class Place(NamedTuple):
    """An entry's place: inboxes are sorted by these two, the newest first."""

    delivered_at: datetime
    notification_id: str

    @classmethod
    def of(cls, entry: Entry) -> Self:
        return cls(entry.delivered_at, entry.notification_id)

    @classmethod
    def parse(cls, cursor: str) -> Self:
        """The place that ``str`` wrote. Raises ``Refusal``."""
        try:
            time, _, notification_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
            place = cls(datetime.fromisoformat(time), str(UUID(notification_id)))
        except ValueError:
            place = None
        if place is None or place.delivered_at.tzinfo is None:
            raise invalid("before", "is not the `next` of a page")
        return place

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(f"{self.delivered_at.isoformat()} {self.notification_id}".encode()).decode()
