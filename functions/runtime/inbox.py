"""An entry of the live inbox, and the user ids that can have one."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

TOMBSTONE_KEPT_FOR = timedelta(days=14)
"""How long an inbox remembers that it was erased: twice as long as Pub/Sub keeps a message."""
LOOKED_UP_AFTER = timedelta(seconds=30)
"""How long after it was accepted a delivery needs no look at the tombstones: the publisher erases each inbox a second
time, later than that (``publisher_api.erasures.service.SETTLED``)."""

# Firestore's rule for document ids. It holds for every store, so that a user id works in all profiles.
_USER_ID = re.compile(r"(?!\.\.?$)(?!__.*__$)[^/]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxEntry:
    """One notification in a user's inbox. Times are aware.

    ``seen_at``, ``read_at`` and ``archived_at`` are None until the entry is marked, and never change afterwards. An
    entry that is marked as read or archived is marked as seen as well.
    """

    notification_id: str
    delivery_id: str
    event_type: str
    tenant: str | None
    title: str
    body: str
    url: str | None
    data: dict[str, Any]
    actor_user_id: str | None
    priority: int
    created_at: datetime
    accepted_at: datetime
    delivered_at: datetime
    seen_at: datetime | None
    read_at: datetime | None
    archived_at: datetime | None


def tombstone_of(user_id: str) -> bytes:
    """What an inbox keeps of a user who was erased: the SHA-256 of their id."""
    return hashlib.sha256(user_id.encode()).digest()


def can_have_inbox(user_id: str) -> bool:
    """Whether an inbox can be named after ``user_id``. A slash would lead into the inbox of another user.

    >>> [can_have_inbox(user_id) for user_id in ("ada", "auth0|7", "eve/inbox/n1", "..", "__all__")]
    [True, True, False, False, False]
    """
    return _USER_ID.fullmatch(user_id) is not None
