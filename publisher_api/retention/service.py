"""The use cases of retention."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

from postgres.pool import Connected, Pool
from publisher_api.audit.service import record
from publisher_api.notifications import removal_store
from publisher_api.notifications.removal_store import Removed
from publisher_api.outbox.commands import add_command
from publisher_api.principal import Principal, Scope
from publisher_api.retention import store
from publisher_api.retention.model import RetentionFields, StoredType, changes_retention, kept_for
from shared.envelope import VERSION, Command


def get_retention(pool: Pool) -> RetentionFields:
    """How long notifications are kept in this environment."""
    with pool.connection() as connection:
        return store.get_fields(connection)


def put_retention(pool: Pool, fields: RetentionFields, caller: Principal) -> RetentionFields:
    """Replace how long notifications are kept."""
    with pool.connection() as connection:
        before, after = store.lock_document(connection), fields.model_dump(exclude_none=True)
        store.put_document(connection, after)
        record(connection, caller, "retention.put", "retention", before=before, after=after)
    return fields


def check_change(connection: Connected, before: StoredType, after: StoredType, caller: Principal) -> None:
    """Raises ``Refusal`` if this declaration changes the retention and the caller is no administrator.

    A key that may configure must not be able to let notifications be deleted.
    """
    if changes_retention(before, after, store.get_fields(connection)):
        caller.require(Scope.ADMIN, f"Changing how long notifications of {before.event_type!r} are kept")


def purge_some(pool: Pool, now: datetime, new_id: Callable[[], str]) -> bool:
    """Delete up to ``removal_store.STEP`` notifications whose time is over; returns whether there may be more.

    A command deletes their entries in the live inbox, because they could not be marked any more. A notification with a
    delivery that has not ended stays. Keys that lead to a deleted notification stay until they expire, so that a
    repeated request sends nothing again. Raises ``psycopg.Error``.
    """
    with pool.connection() as connection:
        fields = store.get_fields(connection)
        for stored in store.stored_types(connection):
            kept = kept_for(stored, fields)
            if kept is None:
                continue
            removed = removal_store.remove_some_of_event_type(connection, stored.event_type, now - kept, now)
            if removed:
                _delete_from_inboxes(connection, removed, now, new_id)
                return True
    return False


def _delete_from_inboxes(
    connection: Connected, removed: Sequence[Removed], now: datetime, new_id: Callable[[], str]
) -> None:
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for each in removed:
        if each.in_inbox:
            ids[each.user_id].append(each.notification_id)
    for user_id, of_user in ids.items():
        command = Command(v=VERSION, command="delete", at=now, user_id=user_id, notification_ids=of_user)
        add_command(connection, new_id(), command, now)
