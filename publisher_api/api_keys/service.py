"""The use cases of API keys. Each change is written to the audit log in the same transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from postgres.pool import Connected, Pool
from publisher_api.api_keys import store
from publisher_api.api_keys.model import CreatedKey, KeyFields, KeyPage, KeyView, RotateFields
from publisher_api.api_keys.secret import hash_of, new_secret, prefix_of
from publisher_api.audit.service import record
from publisher_api.fields import MAX_DAYS
from publisher_api.principal import Principal, fault_of_tenant, scopes_of
from publisher_api.refusal import Refusal, RefusalCode, invalid, not_found

# Every instance keeps them all in memory.
MAX_ACTIVE = 1000


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Creates, rotates, revokes and lists keys.

    ``new_id`` gives UUIDs of version 7. ``changed`` is called when a change is committed; other processes learn of it
    from Postgres.
    """

    pool: Pool
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    changed: Callable[[], None]

    def create(self, fields: KeyFields, caller: Principal) -> CreatedKey:
        """A new key. Raises ``Refusal``."""
        now = self.clock()
        _check(fields, now)
        with self.pool.connection() as connection:
            created = self._add(connection, fields, now)
            record(connection, caller, "api_key.create", _place(created.key_id), after=_granted(created))
        self.changed()
        return created

    def rotate(self, key_id: UUID, fields: RotateFields, caller: Principal) -> CreatedKey:
        """A new key in place of another, which ends after the overlap. It lives as long as the other one was to.

        Raises ``Refusal``.
        """
        now = self.clock()
        with self.pool.connection() as connection:
            old = store.lock_active(connection, key_id, now)
            if old is None:
                raise _unknown(key_id)
            created = self._add(connection, _successor(old, now), now)
            ends_at = now + timedelta(seconds=fields.overlap_seconds)
            store.end_overlap(connection, key_id, ends_at)
            after = {"replaced_by": str(created.key_id), "overlap_seconds": fields.overlap_seconds}
            record(connection, caller, "api_key.rotate", _place(key_id), after=after)
        self.changed()
        return created

    def revoke(self, key_id: UUID, caller: Principal) -> None:
        """End a key. Raises ``Refusal``."""
        with self.pool.connection() as connection:
            revoked = store.revoke_key(connection, key_id, self.clock())
            if revoked is None:
                raise _unknown(key_id)
            record(connection, caller, "api_key.revoke", _place(key_id), before=_granted(revoked))
        self.changed()

    def list(self, limit: int, before: UUID | None) -> KeyPage:
        """A page of the keys, also of those that ended, the newest first."""
        with self.pool.connection() as connection:
            keys = store.list_keys(connection, self.clock(), limit=limit + 1, before=before)
        return KeyPage(api_keys=keys[:limit], next=keys[limit - 1].key_id if len(keys) > limit else None)

    def _add(self, connection: Connected, fields: KeyFields, now: datetime) -> CreatedKey:
        if store.count_active(connection, now) >= MAX_ACTIVE:
            detail = f"{MAX_ACTIVE} API keys are active, which is the most. Revoke one that is not used any more."
            raise Refusal(RefusalCode.INVALID_REQUEST, detail)
        secret = new_secret()
        view = store.add_key(connection, self.new_id(), hash_of(secret), prefix_of(secret), fields, now)
        return CreatedKey(**view.model_dump(), key=secret)


def _check(fields: KeyFields, now: datetime) -> None:
    if fields.expires_at is not None and fields.expires_at <= now:
        raise invalid("expires_at", "must be in the future")
    if fields.expires_at is not None and fields.expires_at > now + timedelta(days=MAX_DAYS):
        message = f"must be at most {MAX_DAYS} days from now; leave it out if the key is not to expire"
        raise invalid("expires_at", message)
    if fault := fault_of_tenant(fields.tenant, fields.scopes):
        raise invalid("scopes", fault)


def _successor(old: KeyView, now: datetime) -> KeyFields:
    expires_at = now + (old.expires_at - old.created_at) if old.expires_at is not None else None
    # The name of an older key may be one that a new key could not have.
    return KeyFields.model_construct(
        producer=old.producer, scopes=sorted(scopes_of(old.scopes)), tenant=old.tenant, expires_at=expires_at
    )


def _granted(key: KeyView) -> dict[str, object]:
    return key.model_dump(mode="json", include={"prefix", "producer", "scopes", "tenant", "expires_at"})


def _place(key_id: UUID) -> str:
    return f"api-keys/{key_id}"


def _unknown(key_id: UUID) -> Refusal:
    return not_found(f"Active API key {key_id}", "GET /v1/api-keys lists all keys.")
