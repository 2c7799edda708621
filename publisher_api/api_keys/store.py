"""API keys in Postgres. A trigger announces each change to the cached configuration of every instance."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from postgres.pool import Connected


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What is stored of a key, without its hash."""

    key_id: UUID
    producer: str
    created_at: datetime
    revoked_at: datetime | None


def add_api_key(connection: Connected, key_id: str, key_hash: bytes, producer: str) -> None:
    connection.execute(
        "insert into api_keys (key_id, key_hash, producer) values (%s, %s, %s)",
        [key_id, key_hash, producer],
    )


def revoke_api_key(connection: Connected, key_id: UUID) -> bool:
    """Revoke a key; returns whether there was such a key that was not revoked yet."""
    statement = "update api_keys set revoked_at = now() where key_id = %s and revoked_at is null"
    return connection.execute(statement, [key_id]).rowcount == 1


def list_api_keys(connection: Connected) -> list[StoredKey]:
    """All keys, the oldest first."""
    with connection.cursor(row_factory=class_row(StoredKey)) as cursor:
        cursor.execute("select key_id, producer, created_at, revoked_at from api_keys order by created_at")
        return cursor.fetchall()
