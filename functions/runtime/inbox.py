"""An entry of the live inbox, and the user ids that can have one."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

KEPT_FOR = timedelta(days=90)
"""How long an entry is kept after it was delivered."""

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
    title: str
    body: str
    url: str | None
    data: dict[str, Any]
    actor_user_id: str | None
    priority: int
    created_at: datetime
    delivered_at: datetime
    seen_at: datetime | None
    read_at: datetime | None
    archived_at: datetime | None


def can_have_inbox(user_id: str) -> bool:
    """Whether an inbox can be named after ``user_id``. A slash would lead into the inbox of another user.

    >>> [can_have_inbox(user_id) for user_id in ("ada", "auth0|7", "eve/inbox/n1", "..", "__all__")]
    [True, True, False, False, False]
    """
    return _USER_ID.fullmatch(user_id) is not None
