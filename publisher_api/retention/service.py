"""The use cases of retention."""

from datetime import datetime

from postgres.pool import Connected, Pool, autocommit
from publisher_api.audit.service import record
from publisher_api.notifications import removal_store
from publisher_api.principal import Principal, Scope
from publisher_api.retention import store
from publisher_api.retention.model import RetentionFields, StoredType, changes_retention, kept_for


def get_retention(pool: Pool) -> RetentionFields:
    """How long notifications are kept in this environment."""
    with pool.connection() as connection:
        return RetentionFields.model_validate(store.get_document(connection))


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
    if changes_retention(before, after, store.get_policy(connection)):
        caller.require(Scope.ADMIN, f"Changing how long notifications of {before.event_type!r} are kept")


def purge_some(pool: Pool, now: datetime) -> bool:
    """Delete up to ``removal_store.STEP`` notifications whose time is over; returns whether there may be more.

    A notification with a delivery that has not ended stays. Keys that lead to a deleted notification stay until they
    expire, so that a repeated request sends nothing again. Raises ``psycopg.Error``.
    """
    with autocommit(pool) as connection:
        policy = store.get_policy(connection)
        for stored in store.stored_types(connection):
            kept = kept_for(stored, policy)
            if kept is None:
                continue
            if removal_store.remove_some_of_event_type(connection, stored.event_type, now - kept).notifications:
                return True
    return False
