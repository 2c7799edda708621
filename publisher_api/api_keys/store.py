"""API keys in Postgres. A trigger announces each change to the cached configuration of every instance."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from postgres.pool import Connected, fetch_one
from publisher_api.api_keys.model import KeyFields, KeyView

_SHOWN = """
    key_id, prefix, producer, scopes, tenant, created_at, expires_at, overlap_ends_at, revoked_at, last_used_at,
    case when revoked_at is not null then 'revoked'
         when least(expires_at, overlap_ends_at) <= %(now)s then 'expired' else 'active' end as status
"""
# least ignores null, and is null if both are.
_ACTIVE = "revoked_at is null and coalesce(least(expires_at, overlap_ends_at) > %(now)s, true)"
# Several instances note the uses of one key. Together they write it once a minute.
_BETWEEN_USES = timedelta(seconds=55)


def add_key(
    connection: Connected, key_id: str, key_hash: bytes, prefix: str, fields: KeyFields, now: datetime
) -> KeyView:
    """Store a new key."""
    row = fetch_one(
        connection.execute(
            f"""
            insert into api_keys (key_id, key_hash, prefix, producer, scopes, tenant, created_at, expires_at)
            values (%(key_id)s, %(key_hash)s, %(prefix)s, %(producer)s, %(scopes)s, %(tenant)s, %(now)s, %(expires_at)s)
            returning {_SHOWN}
            """,
            {
                **fields.model_dump(),
                "scopes": [scope.value for scope in fields.scopes],
                "key_id": key_id,
                "key_hash": key_hash,
                "prefix": prefix,
                "now": now,
            },
        )
    )
    return KeyView(**row)


def count_active(connection: Connected, now: datetime) -> int:
    """How many keys are accepted."""
    statement = f"select count(*) from api_keys where {_ACTIVE}"
    count: int = fetch_one(connection.execute(statement, {"now": now}))["count"]
    return count


def lock_active(connection: Connected, key_id: UUID, now: datetime) -> KeyView | None:
    """A key that is accepted, held until the transaction ends; None if there is no such key."""
    row = connection.execute(
        f"select {_SHOWN} from api_keys where key_id = %(key_id)s and {_ACTIVE} for update",
        {"key_id": key_id, "now": now},
    ).fetchone()
    return KeyView(**row) if row else None


def end_overlap(connection: Connected, key_id: UUID, at: datetime) -> None:
    """Accept a replaced key until ``at``, unless an earlier rotation ends it before. Its own expiry stays."""
    connection.execute(
        "update api_keys set overlap_ends_at = least(overlap_ends_at, %s) where key_id = %s",
        [at, key_id],
    )


def revoke_key(connection: Connected, key_id: UUID, now: datetime) -> KeyView | None:
    """Revoke a key, also an expired one; None if there is no such key that is not revoked yet."""
    row = connection.execute(
        f"""
        update api_keys set revoked_at = %(now)s where key_id = %(key_id)s and revoked_at is null returning {_SHOWN}
        """,
        {"key_id": key_id, "now": now},
    ).fetchone()
    return KeyView(**row) if row else None


def list_keys(connection: Connected, now: datetime, *, limit: int, before: UUID | None) -> list[KeyView]:
    """Up to ``limit`` keys, the newest first; only those that follow the key ``before``."""
    rows = connection.execute(
        f"""
        select {_SHOWN} from api_keys
         where %(before)s::uuid is null or (created_at, key_id) < (
               select created_at, key_id from api_keys where key_id = %(before)s::uuid)
         order by created_at desc, key_id desc limit %(limit)s
        """,
        {"now": now, "before": before, "limit": limit},
    ).fetchall()
    return [KeyView(**row) for row in rows]


def record_uses(connection: Connected, uses: Mapping[UUID, datetime]) -> None:
    """Store when these keys were used last, unless that is known well enough. Announces no change."""
    connection.execute(
        """
        update api_keys k set last_used_at = used.at
          from json_to_recordset(%(uses)s::json) as used (key_id uuid, at timestamptz)
         where k.key_id = used.key_id and (k.last_used_at is null or k.last_used_at < used.at - %(between)s)
        """,
        {
            "uses": msgspec.json.encode([{"key_id": key_id, "at": at} for key_id, at in uses.items()]).decode(),
            "between": _BETWEEN_USES,
        },
    )
