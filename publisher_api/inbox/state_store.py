"""Reads the inboxes that the worker writes, ``state.inbox``: pages, and what changed since a version.

Each function reads by one statement, so that entries, counts and version belong to the same moment.
"""

from postgres.pool import Connected, fetch_one
from publisher_api.inbox.cursor import Place
from publisher_api.inbox.model import InboxView, Tab

NEWEST = 20
"""How many entries a snapshot has."""
MAX_CHANGED = 200
"""A reader that missed more changed entries than this gets a snapshot."""

_ENTRY = """
    notification_id, delivery_id, event_type, title, body, url, data, actor_user_id, priority, created_at, delivered_at,
    seen_at, read_at, archived_at
"""
_WHICH = {
    Tab.ALL: "archived_at is null",
    Tab.UNREAD: "read_at is null and archived_at is null",
    Tab.ARCHIVED: "archived_at is not null",
}
# What is read or archived counts as seen, also where an earlier release did not mark it.
_COUNTS = """
    (select json_build_object('unseen', count(*) filter (where seen_at is null), 'unread', count(*))
       from state.inbox where user_id = %(user_id)s and read_at is null and archived_at is null)
"""
_VERSION = "coalesce((select version from state.inbox_heads where user_id = %(user_id)s), 0)"


def _view(entries: str) -> str:
    return f"""
        json_build_object(
            'entries', (select coalesce(json_agg(e), '[]') from ({entries}) as e), 'counts', {_COUNTS},
            'version', head.version
        )::text as view
    """


def read_page(connection: Connected, user_id: str, tab: Tab, *, limit: int, before: Place | None) -> InboxView:
    """Up to ``limit`` entries of ``tab``, the newest first; only those that follow ``before``."""
    after = "and (delivered_at, notification_id) < (%(delivered_at)s, %(notification_id)s)" if before else ""
    entries = f"""
        select {_ENTRY} from state.inbox where user_id = %(user_id)s and {_WHICH[tab]} {after}
         order by delivered_at desc, notification_id desc limit %(limit)s
    """
    row = fetch_one(
        connection.execute(
            f"select {_view(entries)} from (select {_VERSION} as version) as head",
            {"user_id": user_id, "limit": limit, **(before._asdict() if before else {})},
        )
    )
    return InboxView.model_validate_json(row["view"])


def read_changes(connection: Connected, user_id: str, since: int) -> InboxView | None:
    """The entries that changed after version ``since``, up to one more than ``MAX_CHANGED``; None if it is current."""
    entries = f"""
        select {_ENTRY} from state.inbox
         where user_id = %(user_id)s and version > %(since)s and version > 0
         order by delivered_at desc, notification_id desc limit %(limit)s
    """
    row = connection.execute(
        f"select {_view(entries)} from (select {_VERSION} as version) as head where head.version <> %(since)s",
        {"user_id": user_id, "since": since, "limit": MAX_CHANGED + 1},
    ).fetchone()
    return InboxView.model_validate_json(row["view"]) if row else None
