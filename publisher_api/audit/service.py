"""Writes and reads the audit log. A use case that changes what operators configure calls ``record``."""

from collections.abc import Mapping
from typing import Any

from postgres.pool import Connected, Pool
from publisher_api.audit import store
from publisher_api.audit.model import AuditPage, changes_between
from publisher_api.principal import Principal


def record(
    connection: Connected,
    caller: Principal,
    action: str,
    changed: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write who does ``action`` (``channel.put``) to ``changed`` (``channels/chat``), in the change's transaction.

    ``before`` and ``after`` are what is stored, as JSON; None: nothing is, or it must not be kept here. Without
    secrets: the caller of this function takes them out. A change that changes nothing is not written.
    """
    if before is None or before != after:
        store.add_entry(connection, caller, action, changed, changes_between(before, after))


def forget(connection: Connected, changed: str) -> None:
    """Let the entries about ``changed`` say only that it was erased: its name is personal data."""
    store.rename(connection, changed, f"{changed.partition('/')[0]}/erased")


def list_entries(pool: Pool, filters: Mapping[str, str | None], limit: int, before: int | None) -> AuditPage:
    """A page of the log, the newest entry first. ``filters`` with None do not restrict."""
    given = {name: value for name, value in filters.items() if value is not None}
    with pool.connection() as connection:
        entries = store.list_entries(connection, given, limit=limit + 1, before=before)
    return AuditPage(entries=entries[:limit], next=entries[limit - 1].entry_id if len(entries) > limit else None)
