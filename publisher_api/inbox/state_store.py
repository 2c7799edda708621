"""Reads the inboxes that the worker writes, ``state.inbox``: pages, and what changed since a version.

Each function reads by one statement, so that entries, counts and version belong to the same moment.
"""

from collections.abc import Sequence
from typing import Any

from postgres.pool import Connected, fetch_one
from publisher_api.inbox.cursor import Place
from publisher_api.inbox.model import Asked, InboxView, Tab

NEWEST = 20
"""How many entries a snapshot has."""
MAX_CHANGED = 200
"""A reader that missed more changed entries than this gets a snapshot."""

_ENTRY = """
    notification_id, delivery_id, event_type, tenant, title, body, url, data, actor_user_id, priority, created_at,
    delivered_at, seen_at, read_at, archived_at
"""
_WHICH = {
    Tab.ALL: "archived_at is null",
    Tab.UNREAD: "read_at is null and archived_at is null",
    Tab.ARCHIVED: "archived_at is not null",
}
_OF_TENANT = "(asked.tenant is null or tenant = asked.tenant)"
# What is read or archived counts as seen, also where an earlier release did not mark it.
_COUNTS = f"""
    (select json_build_object('unseen', count(*) filter (where seen_at is null), 'unread', count(*))
       from state.inbox where user_id = asked.user_id and read_at is null and archived_at is null and {_OF_TENANT})
"""
_HEAD = """
    lateral (select coalesce(max(version), 0) as version, coalesce(max(first_version), 0) as first_version
               from state.inbox_heads h where h.user_id = asked.user_id) as head
"""
_USER = "(select %(user_id)s as user_id, %(tenant)s::text as tenant) as asked"
# A reader knows such a version of a head that was deleted, or of a Postgres that was restored from a backup.
_UNREACHED = "asked.since > head.version or asked.since > 0 and asked.since < head.first_version"
_ASKED = """
    unnest(%(user_ids)s::text[], %(versions)s::bigint[], %(tenants)s::text[]) with ordinality
    as asked (user_id, since, tenant, number)
"""
# The index of versions finds these. By the time of delivery, Postgres would read the whole inbox.
_CHANGED = f"""
    select * from (
        select {_ENTRY} from state.inbox
         where user_id = asked.user_id and version > asked.since and version > 0 and {_OF_TENANT}
         order by version limit %(limit)s
    ) as changed
    order by delivered_at desc, notification_id desc
"""


def _view(entries: str) -> str:
    return f"""
        json_build_object(
            'entries', (select coalesce(json_agg(e), '[]') from ({entries}) as e), 'counts', {_COUNTS},
            'version', head.version
        )::text as view
    """


def _newest(tab: Tab, after: str = "") -> str:
    return f"""
        select {_ENTRY} from state.inbox where user_id = asked.user_id and {_OF_TENANT} and {_WHICH[tab]} {after}
         order by delivered_at desc, notification_id desc limit %(limit)s
    """


def read_page(
    connection: Connected, user_id: str, tenant: str | None, tab: Tab, *, limit: int, before: Place | None
) -> InboxView:
    """Up to ``limit`` entries, of one tenant or of all, the newest first; only those that follow ``before``."""
    after = "and (delivered_at, notification_id) < (%(delivered_at)s, %(notification_id)s)" if before else ""
    row = fetch_one(
        connection.execute(
            f"select {_view(_newest(tab, after))} from {_USER}, {_HEAD}",
            {"user_id": user_id, "tenant": tenant, "limit": limit, **(before._asdict() if before else {})},
        )
    )
    return InboxView.model_validate_json(row["view"])


def read_newest(connection: Connected, asked: Sequence[Asked]) -> list[InboxView]:
    """The newest entries of each inbox, in the order of ``asked``."""
    if not asked:
        return []
    rows = connection.execute(
        f"select {_view(_newest(Tab.ALL))} from {_ASKED}, {_HEAD} order by number",
        {**_arrays(asked), "limit": NEWEST},
    )
    return [InboxView.model_validate_json(row["view"]) for row in rows]


def read_changes(connection: Connected, asked: Sequence[Asked]) -> dict[int, InboxView | None]:
    """The entries that changed since, up to one more than ``MAX_CHANGED``, by the position in ``asked``.

    Leaves out what is current, and what has no ``since``. None where what changed since is not known.
    """
    known = [(number, each) for number, each in enumerate(asked) if each.since is not None]
    if not known:
        return {}
    rows = connection.execute(
        f"""
        select number, changed.view
          from {_ASKED} cross join {_HEAD}
          left join lateral (select {_view(_CHANGED)}) as changed on not ({_UNREACHED})
         where head.version <> asked.since
        """,
        {**_arrays([each for _, each in known]), "limit": MAX_CHANGED + 1},
    )
    return {
        known[row["number"] - 1][0]: InboxView.model_validate_json(row["view"]) if row["view"] else None for row in rows
    }


def read_versions(connection: Connected, user_ids: Sequence[str]) -> dict[str, int]:
    """The version of each inbox that has one."""
    rows = connection.execute(
        "select user_id, version from state.inbox_heads where user_id = any(%s)", [list(user_ids)]
    )
    return {row["user_id"]: row["version"] for row in rows}


def _arrays(asked: Sequence[Asked]) -> dict[str, list[Any]]:
    user_ids, versions, tenants = zip(*asked, strict=True)
    return {"user_ids": list(user_ids), "versions": list(versions), "tenants": list(tenants)}
